use super::*;

const KEYS: [&str; 3] = ["a", "a longer key", "the longest of the three keys"];

fn fill(cache: &Cache<&'static str>) {
    for (key, value) in KEYS.iter().zip(["1", "22", "333"]) {
        cache.put(key, value, for_seconds(60)).unwrap();
        let write = Write {
            etag: Some(tag("a tag of the caller's".replace(' ', "-").as_str())),
            ..for_seconds(1)
        };
        cache.put(key, value, write).unwrap();
    }
}

#[test]
fn an_entry_counts_with_its_key_its_tag_and_its_value() {
    let cache = unbounded();
    cache.set("key", "value");
    let plain = cache.entry_bytes();
    assert!(plain >= "key".len() + "value".len());
    let write = Write {
        etag: Some(tag("four")),
        ..PLAIN
    };
    cache.put("key12", "value123", write).unwrap();
    assert_eq!(cache.entry_bytes(), 2 * plain + 3 + 4);
}

#[test]
fn a_short_key_stands_in_the_entry_and_a_long_one_beside_it() {
    let cache = unbounded();
    cache.set("sixteen letters.", "value");
    let plain = cache.entry_bytes();
    cache.set("seventeen letters", "value");
    assert_eq!(cache.entry_bytes(), 2 * plain + 17);
}

#[test]
fn the_bytes_of_the_entries_are_none_once_all_are_gone() {
    let empty: [fn(&Cache<&'static str>); 3] = [
        |cache| KEYS.iter().for_each(|key| _ = cache.delete(key)),
        |cache| _ = cache.clear_all(),
        |cache| {
            cache.advance(Duration::from_secs(1) + LATE);
            cache.expire();
        },
    ];
    for cache in [unbounded(), bounded(3)] {
        for empty in empty {
            fill(&cache);
            assert!(cache.entry_bytes() > 0);
            empty(&cache);
            assert_eq!((cache.len(), cache.entry_bytes()), (0, 0));
            cache.validate();
        }
    }
}

#[test]
fn a_cleared_cache_holds_no_more_bytes_than_a_new_one() {
    for cache in [unbounded(), bounded(1000)] {
        let at_the_start = cache.bytes();
        for n in 0..1000_u32 {
            cache
                .write(&n.to_be_bytes(), "value", for_seconds(60))
                .unwrap();
        }
        assert!(cache.bytes() >= at_the_start + cache.entry_bytes());
        cache.clear_all();
        assert_eq!(cache.bytes(), at_the_start);
    }
}
