use super::*;

#[test]
fn a_full_cache_lets_one_go_for_each_that_comes() {
    let cache = bounded(2);
    cache.set("a", "1");
    cache.set("b", "2");
    let third = cache.set("c", "3");
    assert_eq!(third.displaced.len(), 1);
    assert_eq!(third.displaced[0].cause, Cause::Size);
    assert_eq!((cache.len(), cache.get("c")), (2, Some("3")));
    assert_eq!(cache.stats().evictions, 1);
}

#[test]
fn what_was_read_stays_before_what_was_not() {
    for read in ["a", "b", "c"] {
        let cache = bounded(3);
        for key in ["a", "b", "c"] {
            cache.set(key, key);
        }
        cache.get(read);
        cache.set("d", "d");
        cache.set("e", "e");
        assert_eq!(cache.get(read), Some(read));
    }
}

#[test]
fn a_peek_keeps_nothing_in_the_cache() {
    let evicted = |peeked: Option<&str>| {
        let cache = bounded(2);
        cache.set("a", "1");
        cache.set("b", "2");
        peeked.map(|key| cache.peek(key.as_bytes()));
        values(&cache.set("c", "3").displaced)
    };
    assert_eq!(evicted(None), evicted(Some("a")));
    assert_eq!(evicted(None), evicted(Some("b")));
}

#[test]
fn an_overwrite_in_a_full_cache_evicts_nobody() {
    let cache = bounded(2);
    cache.set("a", "1");
    cache.set("b", "2");
    assert_eq!(values(&cache.set("a", "3").displaced), ["1"]);
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn a_new_entry_stays_though_all_others_were_read() {
    for bound in 1..=4 {
        let cache = bounded(bound);
        let keys = ["a", "b", "c", "d"];
        for key in &keys[..bound] {
            cache.set(key, key);
            cache.get(key);
        }
        let written = cache.set("new", "new");
        assert_eq!(written.displaced.len(), 1);
        assert_eq!(cache.get("new"), Some("new"));
    }
}

#[test]
fn a_refused_write_evicts_nobody() {
    let cache = bounded(1);
    cache.set("a", "1");
    cache.try_put("b", Condition::IfMatch(tag("v1")));
    assert_eq!(cache.get("a"), Some("1"));
}

#[test]
fn what_expired_or_was_removed_makes_room() {
    let cache = bounded(2);
    cache.put("a", "1", for_seconds(1)).unwrap();
    cache.set("b", "2");
    cache.advance(Duration::from_secs(1) + LATE);
    cache.expire();
    cache.set("c", "3");
    cache.delete("b");
    cache.set("d", "4");
    assert_eq!(values(&cache.entries()), ["3", "4"]);
    assert_eq!(cache.stats().evictions, 0);
}

#[test]
fn an_evicted_entry_no_longer_expires() {
    let cache = bounded(1);
    cache.put("a", "1", for_seconds(1)).unwrap();
    cache.set("b", "2");
    assert_eq!(cache.next_expiry(), NEVER);
}
