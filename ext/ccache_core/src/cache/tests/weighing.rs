use super::*;

const fn of_weight(weight: u64) -> Write {
    Write { weight, ..PLAIN }
}

fn causes(displaced: &[Displaced<&'static str>]) -> Vec<(&'static str, Cause)> {
    displaced
        .iter()
        .map(|gone| (*gone.entry.value(), gone.cause))
        .collect()
}

#[test]
fn entries_leave_until_the_new_one_has_room() {
    let cache = bounded_in_bytes(10);
    for key in ["a", "b", "c"] {
        cache.put(key, key, of_weight(3)).unwrap();
    }
    assert_eq!(cache.weight(), 9);
    let written = cache.put("d", "d", of_weight(7)).unwrap();
    assert_eq!(
        causes(&written.displaced),
        [("a", Cause::Size), ("b", Cause::Size)]
    );
    assert_eq!((cache.weight(), cache.len()), (10, 2));
    assert_eq!(written.entry.weight(), 7);
}

#[test]
fn an_overwrite_counts_with_its_own_weight_alone() {
    let cache = bounded_in_bytes(10);
    cache.put("a", "1", of_weight(4)).unwrap();
    cache.put("b", "2", of_weight(4)).unwrap();
    let written = cache.put("a", "3", of_weight(6)).unwrap();
    assert_eq!(causes(&written.displaced), [("1", Cause::Replaced)]);
    let written = cache.put("a", "4", of_weight(10)).unwrap();
    assert_eq!(
        causes(&written.displaced),
        [("2", Cause::Size), ("3", Cause::Replaced)]
    );
    assert_eq!((cache.weight(), cache.len()), (10, 1));
}

#[test]
fn what_is_heavier_than_the_bound_is_refused_and_the_old_entry_leaves() {
    let cache = bounded_in_bytes(10);
    cache.put("a", "1", of_weight(4)).unwrap();
    cache.put("b", "2", of_weight(4)).unwrap();
    let refused = cache.put("a", "3", of_weight(11)).unwrap_err();
    assert_eq!((refused.value, refused.why), ("3", Refused::TooHeavy));
    assert_eq!(causes(&refused.displaced), [("1", Cause::Replaced)]);
    assert_eq!((cache.get("a"), cache.get("b")), (None, Some("2")));
    assert_eq!((cache.stats().refusals, cache.stats().evictions), (1, 0));
}

#[test]
fn a_condition_is_asked_before_the_weight() {
    let cache = bounded_in_bytes(10);
    cache.put("a", "1", of_weight(4)).unwrap();
    let heavy = Write {
        weight: 11,
        ..on(Condition::IfAbsent)
    };
    assert_eq!(
        cache.put("a", "2", heavy).unwrap_err().why,
        PreconditionFailed
    );
    assert_eq!(cache.get("a"), Some("1"));
}

#[test]
fn both_bounds_hold() {
    let cache = Cache::new(Config {
        bounds: Bounds {
            max_entries: NonZeroUsize::new(2),
            max_bytes: NonZeroU64::new(10),
        },
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    });
    for key in ["a", "b", "c"] {
        cache.put(key, key, of_weight(1)).unwrap();
    }
    assert_eq!((cache.len(), cache.get("c")), (2, Some("c")));
    cache.put("d", "d", of_weight(10)).unwrap();
    assert_eq!(values(&cache.entries()), ["d"]);
}

#[test]
fn what_left_says_why() {
    let cache = bounded(1);
    cache.put("a", "1", for_seconds(1)).unwrap();
    cache.advance(Duration::from_secs(1));
    assert_eq!(
        causes(&cache.set("a", "2").displaced),
        [("1", Cause::Expired)]
    );
    cache.put("b", "3", for_seconds(1)).unwrap();
    cache.advance(Duration::from_secs(1));
    assert_eq!(
        causes(&cache.set("c", "4").displaced),
        [("3", Cause::Expired)]
    );
    assert_eq!((cache.stats().evictions, cache.stats().expirations), (1, 2));
    assert_eq!(causes(&cache.clear_all()), [("4", Cause::Cleared)]);
}

#[test]
fn the_heaviest_weights_are_told_apart() {
    for weight in [0, 255, 1 << 24, (1 << 32) - 1] {
        let cache = bounded_in_bytes(u64::MAX);
        assert_eq!(
            cache
                .put("a", "1", of_weight(weight))
                .unwrap()
                .entry
                .weight(),
            weight
        );
    }
}
