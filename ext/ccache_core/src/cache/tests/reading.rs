use super::*;

#[test]
fn an_empty_cache_has_nothing() {
    let cache = unbounded();
    assert_eq!(cache.get("a"), None);
    assert!(cache.peek(b"a").is_none() && cache.entries().is_empty());
    assert!(cache.is_empty());
    cache.validate();
}

#[test]
fn what_was_written_last_is_read() {
    let cache = unbounded();
    assert!(cache.set("a", "1").displaced.is_empty());
    let second = cache.set("a", "2");
    assert_eq!(values(&second.displaced), ["1"]);
    assert_eq!(cache.get("a"), Some("2"));
    assert_eq!(cache.len(), 1);
}

#[test]
fn keys_are_bytes_and_all_of_them_count() {
    let cache = unbounded();
    let keys: [&[u8]; 5] = [b"", b"\0", b"a", b"a\0", &[0xff; 300]];
    for key in keys {
        cache.write(key, "value", PLAIN).unwrap();
    }
    cache.validate();
    assert_eq!(cache.len(), keys.len());
    for key in keys {
        assert_eq!(cache.peek(key).unwrap().key(), key);
    }
}

#[test]
fn a_read_counts_as_hit_or_miss_and_a_peek_as_neither() {
    let cache = unbounded();
    cache.set("a", "1");
    cache.get("a");
    cache.get("b");
    cache.peek(b"a");
    cache.peek(b"b");
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.sets), (1, 1, 1));
}

#[test]
fn a_find_counts_nothing_and_spares_the_entry_from_eviction() {
    let cache = bounded(2);
    cache.set("a", "1");
    cache.set("b", "2");
    assert_eq!(*cache.find(b"b").unwrap().value(), "2");
    assert!(cache.find(b"none").is_none());
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses), (0, 0));
    assert_eq!(values(&cache.set("c", "3").displaced), ["1"]);
    assert_eq!(values(&cache.entries()), ["2", "3"]);
}

#[test]
fn a_find_does_not_find_what_has_expired() {
    let cache = unbounded();
    cache.put("a", "1", for_seconds(1)).unwrap();
    assert!(cache.find(b"a").is_some());
    cache.advance(Duration::from_secs(1));
    assert!(cache.find(b"a").is_none());
}

#[test]
fn a_peek_spares_no_entry_from_eviction() {
    let cache = bounded(2);
    cache.set("a", "1");
    cache.set("b", "2");
    cache.peek(b"b");
    assert_eq!(values(&cache.set("c", "3").displaced), ["2"]);
}

#[test]
fn a_peeked_entry_outlives_its_removal() {
    let cache = unbounded();
    cache.set("a", "1");
    let entry = cache.peek(b"a").unwrap();
    cache.delete("a");
    assert_eq!(*entry.value(), "1");
}

#[test]
fn the_entries_are_those_that_live() {
    let cache = unbounded();
    cache.set("a", "1");
    cache.put("b", "2", for_seconds(1)).unwrap();
    assert_eq!(values(&cache.entries()), ["1", "2"]);
    cache.advance(Duration::from_secs(1));
    assert_eq!(values(&cache.entries()), ["1"]);
}
