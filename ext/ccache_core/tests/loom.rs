//! The hand-made concurrent parts under loom's model checker, which runs every
//! interleaving and every reordering that the memory orders allow:
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p ccache_core --release --test loom
//! ```
//!
//! Under loom a segment has 3 slots and the gate one stripe.

#![cfg(loom)]
#![allow(clippy::unwrap_used)]
#![allow(clippy::arc_with_non_send_sync)] // loom runs one thread at a time

use ccache_core::gate::Gate;
use ccache_core::slots::{SLOTS, SlotHandle, Slots, Tally};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::num::NonZeroUsize;
use std::sync::Arc;

fn word(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

fn words(slots: &Slots) -> Vec<usize> {
    slots.words().map(NonZeroUsize::get).collect()
}

/// A segment with all slots but `free` of them in use, by the words 1, 2, …
fn segment(free: usize) -> (Arc<Slots>, Vec<SlotHandle>) {
    let slots = Slots::new(Arc::default());
    let handles = (1..=SLOTS - free)
        .map(|n| slots.claim(word(n)).unwrap())
        .collect();
    (slots, handles)
}

/// Runs `here` and `there` at the same time and returns what they say.
fn race<A, B>(here: impl FnOnce() -> A, there: impl FnOnce() -> B + 'static) -> (A, B)
where
    B: 'static,
{
    let there = thread::spawn(there);
    let here = here();
    (here, there.join().unwrap())
}

#[test]
fn two_claimers_never_get_the_same_slot() {
    loom::model(|| {
        let (slots, held) = segment(2);
        let other = Arc::clone(&slots);
        let (here, there) = race(
            || slots.claim(word(8)).unwrap(),
            move || other.claim(word(16)).unwrap(),
        );
        assert_eq!((here.word(), there.word()), (8, 16));
        assert_eq!(held[0].word(), 1);
        assert!(slots.claim(word(24)).is_none());
    });
}

#[test]
fn one_of_two_claimers_gets_the_last_slot() {
    loom::model(|| {
        let (slots, _held) = segment(1);
        let other = Arc::clone(&slots);
        let (here, there) = race(|| slots.claim(word(8)), move || other.claim(word(16)));
        assert!(here.is_some() ^ there.is_some());
        let (winner, expected) = here.map_or_else(|| (there.unwrap(), 16), |here| (here, 8));
        assert_eq!(winner.word(), expected);
    });
}

#[test]
fn the_word_of_a_new_owner_is_never_wiped_by_the_release_of_the_old_one() {
    loom::model(|| {
        let (slots, mut held) = segment(0);
        let old = held.remove(1);
        let (new, ()) = race(|| slots.claim(word(8)), move || drop(old));
        match new {
            Some(new) => assert_eq!(new.word(), 8),
            None => assert_eq!(slots.claim(word(16)).unwrap().word(), 16),
        }
        assert_eq!((held[0].word(), held[1].word()), (1, 3));
    });
}

#[test]
fn two_claimers_and_a_releaser_share_one_slot() {
    loom::model(|| {
        let (slots, mut held) = segment(0);
        let old = held.remove(1);
        let (first, second) = (Arc::clone(&slots), Arc::clone(&slots));
        let first = thread::spawn(move || first.claim(word(8)));
        let second = thread::spawn(move || second.claim(word(16)));
        drop(old);
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert!(first.is_none() || second.is_none());
        assert!(first.is_none_or(|handle| handle.word() == 8));
        assert!(second.is_none_or(|handle| handle.word() == 16));
    });
}

#[test]
fn what_a_visitor_sees_in_a_slot_is_a_word_that_was_put_there() {
    loom::model(|| {
        let (slots, mut held) = segment(0);
        let old = held.remove(0);
        let other = Arc::clone(&slots);
        let (seen, new) = race(
            || words(&slots),
            move || {
                drop(old);
                other.claim(word(8)).unwrap()
            },
        );
        assert!(
            [&[1, 2, 3][..], &[2, 3], &[8, 2, 3]].contains(&&*seen),
            "{seen:?}"
        );
        assert_eq!(words(&slots), [8, 2, 3]);
        drop(new);
    });
}

#[test]
fn a_slot_released_during_relocation_stays_empty() {
    loom::model(|| {
        let (slots, mut held) = segment(1);
        let gone = held.remove(0);
        let is_released = Arc::new(AtomicBool::new(false));
        let releaser = Arc::clone(&is_released);
        let mut was_released_first = false;
        let ((), ()) = race(
            || {
                slots.relocate(|word| {
                    was_released_first |= word.get() == 1 && is_released.load(Ordering::Acquire);
                    word.checked_add(16).unwrap()
                });
            },
            move || {
                drop(gone);
                releaser.store(true, Ordering::Release);
            },
        );
        // A release after the exchange wins because nothing comes between what an
        // exchange reads and what it writes. Loom does not know that rule.
        let relocated = words(&slots);
        assert!(relocated == [2 + 16] || relocated == [1 + 16, 2 + 16] && !was_released_first);
        assert_eq!(slots.free_count(), 2);
    });
}

#[test]
fn a_segment_is_sealed_or_claimed_and_never_both() {
    loom::model(|| {
        let (slots, _) = segment(SLOTS);
        let other = Arc::clone(&slots);
        let (is_sealed, claimed) = race(|| slots.seal_if_empty(), move || other.claim(word(8)));
        assert_eq!(is_sealed, claimed.is_none());
        if let Some(claimed) = claimed {
            assert_eq!(claimed.word(), 8);
            assert_eq!(slots.tally().empty_segments(), 0);
        } else {
            assert!(slots.claim(word(16)).is_none());
        }
    });
}

#[test]
fn a_segment_sealed_during_the_last_release_is_empty() {
    loom::model(|| {
        let (slots, held) = segment(SLOTS - 1);
        let (is_sealed, ()) = race(
            || {
                let is_sealed = slots.seal_if_empty();
                assert!(!is_sealed || words(&slots).is_empty());
                is_sealed
            },
            move || drop(held),
        );
        assert_eq!(words(&slots), [] as [usize; 0]);
        assert_eq!(slots.claim(word(8)).is_none(), is_sealed);
    });
}

#[test]
fn of_two_that_seal_one_does() {
    loom::model(|| {
        let (slots, _) = segment(SLOTS);
        let other = Arc::clone(&slots);
        let (here, there) = race(|| slots.seal_if_empty(), move || other.seal_if_empty());
        assert!(here ^ there);
        assert_eq!(slots.tally().empty_segments(), 0);
    });
}

#[test]
fn a_handle_is_dropped_on_another_thread_while_the_segment_goes() {
    loom::model(|| {
        let (slots, mut held) = segment(SLOTS - 1);
        let tally = Arc::clone(slots.tally());
        let handle = held.remove(0);
        let ((), seen) = race(
            || drop(slots),
            move || {
                let seen = handle.word();
                drop(handle);
                seen
            },
        );
        assert_eq!(seen, 1);
        assert_eq!(tally.empty_segments(), 1);
    });
}

#[test]
fn the_tally_is_right_once_all_is_quiet() {
    loom::model(|| {
        let tally = Arc::new(Tally::default());
        let slots = Slots::new(Arc::clone(&tally));
        let other = Arc::clone(&slots);
        let (kept, ()) = race(
            || slots.claim(word(8)).unwrap(),
            move || drop(other.claim(word(16)).unwrap()),
        );
        assert_eq!((kept.word(), tally.empty_segments()), (8, 0));
        drop(kept);
        assert_eq!(tally.empty_segments(), 1);
    });
}

#[test]
fn the_tally_is_right_after_claims_releases_and_a_seal() {
    loom::model(|| {
        let (slots, held) = segment(SLOTS - 1);
        let (claimer, sealer) = (Arc::clone(&slots), Arc::clone(&slots));
        let releasing = thread::spawn(move || drop(held));
        let sealing = thread::spawn(move || sealer.seal_if_empty());
        let claimed = claimer.claim(word(8));
        releasing.join().unwrap();
        let is_sealed = sealing.join().unwrap();
        assert!(!(is_sealed && claimed.is_some()));
        let is_counted = claimed.is_none() && !is_sealed;
        assert_eq!(slots.tally().empty_segments(), usize::from(is_counted));
    });
}

/// What no thread may touch but under the gate's protection.
#[derive(Default)]
struct Guarded {
    gate: Gate,
    map: UnsafeCell<u32>,
}

impl Guarded {
    fn enter_and_touch(&self) {
        let _inside = self.gate.enter();
        self.map.with_mut(|_| thread::yield_now());
    }

    /// Forks, unless a thread is inside.
    fn fork(&self) -> bool {
        self.gate.close();
        let forked = !self.gate.is_occupied();
        if forked {
            self.map.with_mut(|_| thread::yield_now());
        }
        self.gate.open();
        forked
    }
}

#[test]
fn nobody_is_inside_while_the_gate_is_closed_and_was_seen_empty() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::default());
        let entering = Arc::clone(&guarded);
        race(|| guarded.fork(), move || entering.enter_and_touch());
        assert!(!guarded.gate.is_occupied());
        assert!(guarded.fork());
    });
}

#[test]
fn two_threads_fork_one_after_the_other() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::default());
        let other = Arc::clone(&guarded);
        assert_eq!(race(|| guarded.fork(), move || other.fork()), (true, true));
    });
}

#[test]
fn who_comes_to_a_closed_gate_gets_in_once_it_is_open() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::default());
        guarded.gate.close();
        let entering = Arc::clone(&guarded);
        race(|| guarded.gate.open(), move || entering.enter_and_touch());
        assert!(!guarded.gate.is_occupied());
    });
}

#[test]
fn a_gate_that_closes_again_holds_back_who_waited() {
    loom::model(|| {
        let guarded = Arc::new(Guarded::default());
        guarded.gate.close();
        let entering = Arc::clone(&guarded);
        race(
            || {
                guarded.gate.open();
                guarded.fork();
            },
            move || entering.enter_and_touch(),
        );
        assert!(!guarded.gate.is_occupied());
    });
}

#[test]
fn a_forgotten_visit_is_seen_by_each_later_fork_and_stops_no_visitor() {
    loom::model(|| {
        let gate = Arc::new(Gate::new());
        std::mem::forget(gate.enter());
        let entering = Arc::clone(&gate);
        race(
            || {
                gate.close();
                assert!(gate.is_occupied());
                gate.open();
            },
            move || drop(entering.enter()),
        );
        gate.open_in_child(7);
        assert!(!gate.is_occupied());
    });
}
