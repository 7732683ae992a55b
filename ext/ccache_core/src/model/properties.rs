//! Sequences that proptest makes.

use super::{IDLE, LATE, Model, On, Step, follow};
use crate::cache::Lifetime;
use crate::clock::NEVER;
use proptest::prelude::*;
use proptest::sample::select;

/// The bound of bytes, where there is one. Some entries are too heavy.
const MAX_BYTES: u64 = 20;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..6_u8;
    let nanos = prop_oneof![
        select(&[0, 1, 1 << 26, 3 << 26, 1 << 32, 1 << 38, 1 << 52][..]),
        0..LATE,
        0..10 * LATE,
    ];
    let lifetime = prop_oneof![
        2 => Just(Lifetime::Unlimited),
        4 => nanos.clone().prop_map(Lifetime::For),
        1 => Just(Lifetime::For(NEVER)),
        2 => Just(Lifetime::Kept),
    ];
    let tag = select(&[None, None, Some("v1"), Some("v2"), Some("a-longer-tag")][..]);
    let ago = prop_oneof![2 => Just(0), 1 => 0..LATE];
    let on = prop_oneof![
        6 => Just(On::Nothing),
        2 => Just(On::Absence),
        2 => Just(On::LastTag),
        1 => any::<usize>().prop_map(On::SomeTag),
        1 => Just(On::NotLastTag),
        1 => any::<usize>().prop_map(On::NotSomeTag),
        2 => ago.clone().prop_map(On::NoneNewer),
        2 => Just(On::LastLease),
        1 => any::<usize>().prop_map(On::SomeLease),
    ];
    let lease = prop_oneof![
        3 => Just(On::LastLease),
        1 => any::<usize>().prop_map(On::SomeLease),
    ];
    let step = prop_oneof![
        8 => (key.clone(), lifetime, tag, on.clone(), ago.clone(), 0..25_u8).prop_map(
            |(key, lifetime, tag, on, ago, weight)| Step::Write(key, lifetime, tag, on, ago, weight)
        ),
        6 => key.clone().prop_map(Step::Read),
        2 => key.clone().prop_map(Step::Peek),
        2 => key.clone().prop_map(Step::Find),
        2 => (key.clone(), ago).prop_map(|(key, ago)| Step::Validate(key, ago)),
        3 => (key.clone(), on).prop_map(|(key, on)| Step::Remove(key, on)),
        1 => key.clone().prop_map(Step::Exchange),
        1 => Just(Step::Clear),
        1 => (1..7_usize, prop::option::of(1..40_u64))
            .prop_map(|(entries, bytes)| Step::Resize(entries, bytes)),
        1 => Just(Step::Entries),
        4 => nanos.prop_map(Step::Advance),
        2 => Just(Step::ExpireDue),
        2 => Just(Step::SleepUntilDue),
        3 => key.clone().prop_map(Step::TakeLease),
        2 => (key, lease).prop_map(|(key, lease)| Step::GiveBack(key, lease)),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_unbounded_cache_does_what_a_map_with_deadlines_does(steps in steps()) {
        Model::new(None, None, None).run(steps);
    }

    #[test]
    fn a_bounded_cache_does_the_same_and_keeps_its_bound(
        bound in 1_usize..7,
        steps in steps(),
    ) {
        Model::new(Some(bound), None, None).run(steps);
    }

    #[test]
    fn a_cache_bounded_in_bytes_does_the_same_and_keeps_its_bounds(
        bound in prop::option::of(1_usize..7),
        steps in steps(),
    ) {
        Model::new(bound, Some(MAX_BYTES), None).run(steps);
    }

    #[test]
    fn a_cache_whose_entries_must_not_be_idle_does_the_same(
        bound in prop::option::of(1_usize..7),
        steps in steps(),
    ) {
        Model::new(bound, None, Some(IDLE)).run(steps);
    }

    #[test]
    fn a_cache_does_what_any_bytes_say(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        follow(&bytes);
    }
}
