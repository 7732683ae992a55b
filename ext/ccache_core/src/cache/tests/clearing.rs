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
