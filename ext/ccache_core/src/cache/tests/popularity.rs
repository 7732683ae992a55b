use super::*;

#[test]
fn the_hottest_entries_are_those_that_came_most_lately() {
    let cache = cache(Some(100));
    for (key, reads) in [("once", 1), ("never", 0), ("often", 3), ("twice", 2)] {
        cache.set(key, key);
        for _ in 0..reads {
            cache.get(key);
        }
    }
    let hottest = |most| {
        let hottest = cache.hottest(most).into_iter();
        hottest.map(|(entry, _)| *entry.value()).collect::<Vec<_>>()
    };
    assert_eq!(hottest(3), ["often", "twice", "once"]);
    assert_eq!(hottest(9).len(), 4);
    assert!(hottest(0).is_empty());
}

#[test]
fn nothing_is_known_of_the_uses_of_an_unbounded_caches_entries() {
    let cache = unbounded();
    cache.set("a", "1");
    assert!(cache.hottest(1).is_empty());
}
