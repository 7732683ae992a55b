use super::*;
use std::sync::Weak;

/// A value that, when it is dropped, looks whether a lock of its cache is held.
struct Watchful(Weak<Cache<Watchful>>);

impl HeapBytes for Watchful {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl Drop for Watchful {
    fn drop(&mut self) {
        let Some(cache) = self.0.upgrade() else {
            return;
        };
        assert!(cache.policy.try_lock().is_some());
        assert!(cache.wheel.try_lock().is_some());
        assert!(
            cache
                .map
                .shards()
                .iter()
                .all(|shard| shard.try_write().is_some())
        );
    }
}

#[test]
fn no_lock_is_held_while_a_value_is_dropped() {
    let cache = Arc::new(cache(Some(2)));
    let put = |key: &[u8], write| {
        let value = Watchful(Arc::downgrade(&cache));
        cache.write(key, value, write).is_ok()
    };
    for key in [b"a", b"b", b"c", b"c"] {
        assert!(put(key, PLAIN));
        assert!(!put(key, on(Condition::IfAbsent)));
    }
    assert!(put(b"b", for_seconds(1)) && put(b"c", for_seconds(1)));
    cache.clock.advance(Duration::from_secs(1) + LATE);
    assert!(matches!(
        cache.remove(b"c", &Condition::Always),
        Removed::Expired(_)
    ));
    drop(cache.expire_all());
    assert!(put(b"a", PLAIN) && put(b"b", PLAIN));
    drop(cache.remove(b"a", &Condition::Always));
    drop(cache.clear_all());
    assert!(cache.is_empty());
}
