use super::*;

#[test]
fn a_cleared_cache_is_empty_and_the_caller_has_what_was_in_it() {
    for cache in [unbounded(), bounded(10)] {
        cache.set("a", "1");
        cache.put("b", "2", for_seconds(1)).unwrap();
        assert_eq!(values(&cache.clear_all()), ["1", "2"]);
        cache.validate();
        assert!(cache.is_empty() && cache.entries().is_empty());
        cache.set("a", "3");
        assert_eq!(cache.get("a"), Some("3"));
    }
}

#[test]
fn what_had_expired_before_a_clear_is_told_and_counted_as_expired() {
    for cache in [unbounded(), bounded(10)] {
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.put("b", "2", for_seconds(3)).unwrap();
        cache.set("c", "3");
        cache.advance(Duration::from_secs(2));
        let mut left = Vec::new();
        let count = cache.clear(|gone| left.push((*gone.entry.value(), gone.cause)));
        left.sort_unstable_by_key(|(value, _)| *value);
        assert_eq!(
            left,
            [
                ("1", Cause::Expired),
                ("2", Cause::Cleared),
                ("3", Cause::Cleared)
            ]
        );
        assert_eq!(count, 2);
        let stats = cache.stats();
        assert_eq!((stats.expirations, stats.cleared), (1, 2));
    }
}
