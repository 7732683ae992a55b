use super::*;
use crate::policy::Load;

/// What another thread does between two steps of an eviction or an expiry.
const MEANWHILE: [fn(&Cache<&'static str>); 3] = [
    |cache| _ = cache.write(b"a", "2", for_seconds(60)),
    |cache| _ = cache.remove(b"a", &Condition::Always),
    |cache| _ = cache.clear_all(),
];

#[test]
fn an_eviction_takes_nothing_that_came_meanwhile() {
    for meanwhile in MEANWHILE {
        let cache = bounded(2);
        cache.set("a", "1");
        let newcomer = cache.set("b", "1").entry;
        let victim = {
            let mut policy = cache.policy.lock();
            policy.reserve(Load::one(0));
            let victim = policy.evict_surplus(Some(&newcomer), |entry| cache.hash(entry.key()));
            policy.release(Load::one(0));
            victim.unwrap()
        };
        meanwhile(&cache);
        assert!(!cache.remove_this(&victim));
        cache.validate();
    }
}

#[test]
fn an_expiry_takes_nothing_that_came_meanwhile() {
    for meanwhile in MEANWHILE {
        let cache = bounded(2);
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.advance(Duration::from_secs(1) + LATE);
        let expired = cache.wheel.lock().expire(cache.clock.now(), usize::MAX);
        meanwhile(&cache);
        assert!(!cache.remove_this(&expired[0]));
        cache.validate();
    }
}

#[test]
fn a_clear_that_a_fork_cut_short_is_finished_later() {
    for cache in [unbounded(), bounded(10)] {
        for key in ["a", "b", "c", "d", "e", "f"] {
            cache.put(key, "old", for_seconds(1)).unwrap();
        }
        cache.empty_map();
        cache.validate();
        cache.set("a", "new");
        cache.advance(Duration::from_secs(1) + LATE);
        assert_eq!(cache.expire(), [] as [&str; 0]);
        let mut buried = 0;
        assert_eq!(cache.bury(|_| buried += 1), 6);
        cache.validate();
        assert_eq!((buried, cache.len(), cache.get("a")), (6, 1, Some("new")));
    }
}
