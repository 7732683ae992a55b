#![allow(clippy::unwrap_used)]

use super::*;
use std::sync::Weak;
use std::time::Duration;

const SECOND: Nanos = 1_000_000_000;

/// What the timer wheel may be late by.
const LATE: Duration = Duration::from_millis(200);

impl HeapBytes for &'static str {
    fn heap_bytes(&self) -> usize {
        self.len()
    }
}

const PLAIN: Write = Write {
    etag: None,
    lifetime: Lifetime::Unlimited,
    condition: Condition::Always,
};

const fn for_seconds(seconds: u64) -> Write {
    Write {
        lifetime: Lifetime::For(seconds * SECOND),
        ..PLAIN
    }
}

fn on(condition: Condition) -> Write {
    Write { condition, ..PLAIN }
}

fn tag(text: &str) -> Etag {
    Etag::parse(text.as_bytes()).unwrap()
}

fn cache<V: HeapBytes>(max_entries: Option<usize>) -> Cache<V> {
    Cache::new(Config {
        max_entries: max_entries.and_then(NonZeroUsize::new),
        seed: 7,
        clock: Clock::manual(),
    })
}

fn unbounded() -> Cache<&'static str> {
    cache(None)
}

fn bounded(max_entries: usize) -> Cache<&'static str> {
    cache(Some(max_entries))
}

type Outcome = Result<Written<&'static str>, (&'static str, Refused)>;

/// What the tests say about a cache, each time with all its invariants checked.
impl Cache<&'static str> {
    fn put(&self, key: &str, value: &'static str, write: Write) -> Outcome {
        let outcome = self.write(key.as_bytes(), value, write);
        self.validate();
        outcome
    }

    fn set(&self, key: &str, value: &'static str) -> Written<&'static str> {
        self.put(key, value, PLAIN).unwrap()
    }

    fn get(&self, key: &str) -> Option<&'static str> {
        self.read(key.as_bytes(), |entry| *entry.value())
    }

    fn delete(&self, key: &str, condition: &Condition) -> Removed<&'static str> {
        let removed = self.remove(key.as_bytes(), condition);
        self.validate();
        removed
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn expire(&self) -> Vec<&'static str> {
        let (expired, next) = self.expire_due();
        assert_eq!(next, self.next_expiry());
        self.validate();
        values(&expired)
    }
}

fn values(entries: &[Arc<Entry<&'static str>>]) -> Vec<&'static str> {
    let mut values: Vec<_> = entries.iter().map(|entry| *entry.value()).collect();
    values.sort_unstable();
    values
}

fn refusal(outcome: Outcome) -> Refused {
    outcome.unwrap_err().1
}

fn is_removed(removed: &Removed<&'static str>, value: &str) -> bool {
    matches!(removed, Removed::Entry(entry) if *entry.value() == value)
}

mod reading {
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
        assert!(keys.iter().all(|key| cache.peek(key).is_some_and(|entry| entry.key() == *key)));
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
    fn a_peeked_entry_outlives_its_removal() {
        let cache = unbounded();
        cache.set("a", "1");
        let entry = cache.peek(b"a").unwrap();
        cache.delete("a", &Condition::Always);
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
}

mod tagging {
    use super::*;

    #[test]
    fn each_write_gets_a_tag_that_no_other_has() {
        let cache = unbounded();
        let first = cache.set("a", "1").entry.etag().clone();
        let second = cache.set("a", "1").entry.etag().clone();
        assert_ne!(first, second);
        assert_eq!(cache.peek(b"a").unwrap().etag(), &second);
    }

    #[test]
    fn a_given_tag_is_kept() {
        let cache = unbounded();
        let write = Write {
            etag: Some(tag("v1")),
            ..PLAIN
        };
        cache.put("a", "1", write).unwrap();
        assert_eq!(cache.peek(b"a").unwrap().etag(), &tag("v1"));
    }

    #[test]
    fn a_refused_write_uses_no_tag_up() {
        let (here, there) = (unbounded(), unbounded());
        here.put("a", "1", on(Condition::IfMatch(tag("v1")))).unwrap_err();
        assert_eq!(here.set("a", "1").entry.etag(), there.set("a", "1").entry.etag());
    }
}

mod conditions {
    use super::*;

    #[test]
    fn if_absent_writes_where_nothing_lives() {
        let cache = unbounded();
        cache.put("a", "1", on(Condition::IfAbsent)).unwrap();
        let refused = cache.put("a", "2", on(Condition::IfAbsent)).unwrap_err();
        assert_eq!(refused, ("2", Refused::PreconditionFailed));
        assert_eq!(cache.get("a"), Some("1"));
        assert_eq!(cache.stats().sets, 1);
    }

    #[test]
    fn if_absent_writes_over_what_has_expired() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.advance(Duration::from_secs(1));
        let written = cache.put("a", "2", on(Condition::IfAbsent)).unwrap();
        assert_eq!(values(&written.displaced), ["1"]);
        assert_eq!(cache.get("a"), Some("2"));
        assert_eq!(cache.stats().expirations, 1);
    }

    #[test]
    fn if_match_writes_over_that_tag_alone() {
        let cache = unbounded();
        let first = cache.set("a", "1").entry.etag().clone();
        let if_first = || on(Condition::IfMatch(first.clone()));
        cache.put("a", "2", if_first()).unwrap();
        assert_eq!(refusal(cache.put("a", "3", if_first())), Refused::PreconditionFailed);
        assert_eq!(refusal(cache.put("b", "3", if_first())), Refused::PreconditionFailed);
        assert_eq!((cache.get("a"), cache.get("b")), (Some("2"), None));
    }

    #[test]
    fn if_match_fails_on_what_has_expired() {
        let cache = unbounded();
        let written = cache.put("a", "1", for_seconds(1)).unwrap();
        let if_match = Condition::IfMatch(written.entry.etag().clone());
        cache.advance(Duration::from_secs(1));
        let outcome = cache.put("a", "2", on(if_match.clone()));
        assert_eq!(refusal(outcome), Refused::PreconditionFailed);
        let removed = cache.delete("a", &if_match);
        assert!(matches!(removed, Removed::PreconditionFailed));
    }

    #[test]
    fn a_removal_takes_the_entry_out() {
        let cache = unbounded();
        cache.set("a", "1");
        assert!(is_removed(&cache.delete("a", &Condition::Always), "1"));
        assert!(matches!(cache.delete("a", &Condition::Always), Removed::Absent));
        assert_eq!((cache.get("a"), cache.stats().deletes), (None, 1));
    }

    #[test]
    fn a_removal_depends_on_its_condition_too() {
        let cache = unbounded();
        let etag = cache.set("a", "1").entry.etag().clone();
        for condition in [Condition::IfMatch(tag("v1")), Condition::IfAbsent] {
            assert!(matches!(cache.delete("a", &condition), Removed::PreconditionFailed));
        }
        let absent = cache.delete("b", &Condition::IfMatch(etag.clone()));
        assert!(matches!(absent, Removed::PreconditionFailed));
        assert!(is_removed(&cache.delete("a", &Condition::IfMatch(etag)), "1"));
    }

    #[test]
    fn the_removal_of_what_has_expired_finds_nothing() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.advance(Duration::from_secs(1));
        assert!(matches!(cache.delete("a", &Condition::Always), Removed::Absent));
        let stats = cache.stats();
        assert_eq!((stats.deletes, stats.expirations, cache.len()), (0, 1, 0));
    }
}

mod leases {
    use super::*;

    fn if_leased(lease: LeaseId) -> Write {
        on(Condition::IfLeased(lease))
    }

    #[test]
    fn a_held_lease_lets_one_write_through() {
        let cache = unbounded();
        let lease = cache.take_lease(b"a");
        cache.put("a", "loaded", if_leased(lease)).unwrap();
        assert_eq!(refusal(cache.put("a", "again", if_leased(lease))), Refused::LeaseVoid);
        assert_eq!(cache.get("a"), Some("loaded"));
    }

    #[test]
    fn a_set_a_delete_and_a_clear_void_the_lease() {
        let cache = unbounded();
        let voiders: [fn(&Cache<&'static str>); 4] = [
            |cache| _ = cache.set("a", "set"),
            |cache| _ = cache.delete("a", &Condition::Always),
            |cache| _ = cache.delete("a", &Condition::Always), // though nothing is there
            |cache| _ = cache.clear(),
        ];
        for void in voiders {
            let lease = cache.take_lease(b"a");
            void(&cache);
            assert_eq!(refusal(cache.put("a", "loaded", if_leased(lease))), Refused::LeaseVoid);
            assert!(!cache.give_back_lease(b"a", lease));
        }
    }

    #[test]
    fn what_leaves_the_key_as_it_is_leaves_the_lease_valid() {
        let cache = bounded(1);
        cache.set("a", "1");
        let lease = cache.take_lease(b"a");
        cache.put("a", "2", on(Condition::IfAbsent)).unwrap_err();
        cache.put("a", "2", on(Condition::IfMatch(tag("v1")))).unwrap_err();
        cache.delete("a", &Condition::IfMatch(tag("v1")));
        cache.set("b", "evicts a");
        cache.get("a");
        cache.put("a", "loaded", if_leased(lease)).unwrap();
    }

    #[test]
    fn expiry_leaves_the_lease_valid() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        let lease = cache.take_lease(b"a");
        cache.advance(Duration::from_secs(1) + LATE);
        assert_eq!(cache.expire(), ["1"]);
        cache.put("a", "loaded", if_leased(lease)).unwrap();
    }

    #[test]
    fn a_lease_is_good_for_its_own_key() {
        let cache = unbounded();
        let lease = cache.take_lease(b"a");
        assert_eq!(refusal(cache.put("b", "1", if_leased(lease))), Refused::LeaseVoid);
        assert!(cache.give_back_lease(b"a", lease));
        assert_eq!(refusal(cache.put("a", "1", if_leased(lease))), Refused::LeaseVoid);
    }

    #[test]
    fn a_leased_removal_uses_the_lease_up() {
        let cache = unbounded();
        cache.set("a", "1");
        let leased = Condition::IfLeased(cache.take_lease(b"a"));
        assert!(is_removed(&cache.delete("a", &leased), "1"));
        assert!(matches!(cache.delete("a", &leased), Removed::PreconditionFailed));
    }

    #[test]
    fn a_lease_that_is_never_given_back_hinders_nobody() {
        let cache = unbounded();
        for _ in 0..1000 {
            cache.take_lease(b"a");
        }
        cache.set("b", "1");
        let newest = cache.take_lease(b"a");
        cache.put("a", "loaded", if_leased(newest)).unwrap();
        cache.take_lease(b"a");
        cache.set("a", "2");
        assert_eq!((cache.get("a"), cache.get("b")), (Some("2"), Some("1")));
        cache.clear();
        cache.validate();
    }
}

mod expiry {
    use super::*;

    #[test]
    fn an_entry_is_gone_at_its_deadline_and_not_before() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.advance(Duration::from_nanos(SECOND - 1));
        assert_eq!(cache.get("a"), Some("1"));
        cache.advance(Duration::from_nanos(1));
        assert_eq!(cache.get("a"), None);
        assert!(cache.peek(b"a").is_none());
    }

    #[test]
    fn nobody_has_to_read_for_an_entry_to_be_freed() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.put("b", "2", for_seconds(60)).unwrap();
        cache.set("c", "3");
        cache.advance(Duration::from_secs(1) + LATE);
        assert_eq!(cache.expire(), ["1"]);
        assert_eq!(cache.len(), 2);
        cache.advance(Duration::from_secs(60));
        assert_eq!(cache.expire(), ["2"]);
        assert_eq!((cache.next_expiry(), cache.stats().expirations), (NEVER, 2));
    }

    #[test]
    fn whoever_sleeps_until_the_next_expiry_frees_every_entry_in_time() {
        let cache = unbounded();
        for (key, seconds) in [("a", 1), ("b", 90), ("c", 7200), ("d", 90_000), ("e", 2_000_000)] {
            cache.put(key, "value", for_seconds(seconds)).unwrap();
        }
        while !cache.is_empty() {
            let sleep = cache.next_expiry() - cache.clock().now();
            cache.advance(Duration::from_nanos(sleep));
            let now = cache.clock().now();
            for entry in cache.expire_due().0 {
                let late = Duration::from_nanos(now - entry.deadline());
                assert!(late <= LATE, "{late:?}");
            }
            cache.validate();
        }
    }

    #[test]
    fn an_overwrite_cancels_the_old_deadline() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(1)).unwrap();
        cache.set("a", "2");
        assert_eq!(cache.next_expiry(), NEVER);
        cache.advance(Duration::from_secs(10));
        assert_eq!(cache.expire(), [] as [&str; 0]);
        assert_eq!(cache.get("a"), Some("2"));
    }

    #[test]
    fn a_kept_lifetime_ends_when_the_replaced_entrys_would_have() {
        let cache = unbounded();
        let kept = || Write {
            lifetime: Lifetime::Kept,
            ..PLAIN
        };
        cache.put("a", "1", for_seconds(2)).unwrap();
        cache.advance(Duration::from_secs(1));
        let written = cache.put("a", "2", kept()).unwrap();
        assert_eq!((written.entry.created(), written.entry.deadline()), (SECOND, 2 * SECOND));
        cache.advance(Duration::from_secs(1));
        assert_eq!(cache.get("a"), None);
        for key in ["a", "b"] {
            // Neither an expired entry nor none has a lifetime to keep.
            assert!(!cache.put(key, "3", kept()).unwrap().entry.expires());
        }
    }

    #[test]
    fn a_lifetime_without_end_in_sight_has_none() {
        let cache = unbounded();
        cache.advance(Duration::from_secs(1));
        let write = Write {
            lifetime: Lifetime::For(NEVER - 1),
            ..PLAIN
        };
        assert!(!cache.put("a", "1", write).unwrap().entry.expires());
        assert_eq!(cache.next_expiry(), NEVER);
    }

    #[test]
    fn a_lifetime_of_nothing_is_over_at_once() {
        let cache = unbounded();
        cache.set("a", "1");
        cache.put("a", "2", for_seconds(0)).unwrap();
        assert_eq!(cache.get("a"), None);
        cache.advance(LATE);
        assert_eq!(cache.expire(), ["2"]);
    }

    #[test]
    fn a_write_says_when_the_next_expiry_became_earlier() {
        let cache = unbounded();
        assert!(!cache.set("a", "1").earlier_deadline);
        assert!(cache.put("b", "2", for_seconds(60)).unwrap().earlier_deadline);
        assert!(!cache.put("c", "3", for_seconds(60)).unwrap().earlier_deadline);
        assert!(!cache.put("d", "4", for_seconds(7200)).unwrap().earlier_deadline);
        assert!(cache.put("d", "5", for_seconds(1)).unwrap().earlier_deadline);
        assert!(!cache.put("d", "6", for_seconds(7200)).unwrap().earlier_deadline);
    }

    #[test]
    fn the_next_expiry_moves_away_when_its_entry_goes() {
        let cache = unbounded();
        cache.put("a", "1", for_seconds(60)).unwrap();
        let later = cache.next_expiry();
        cache.put("b", "2", for_seconds(1)).unwrap();
        assert!(cache.next_expiry() < later);
        cache.delete("b", &Condition::Always);
        assert_eq!(cache.next_expiry(), later);
        cache.clear();
        assert_eq!(cache.next_expiry(), NEVER);
    }
}

mod bounds {
    use super::*;

    #[test]
    fn a_full_cache_lets_the_oldest_go() {
        let cache = bounded(2);
        cache.set("a", "1");
        cache.set("b", "2");
        let third = cache.set("c", "3");
        assert_eq!(values(&third.displaced), ["1"]);
        assert_eq!(values(&cache.entries()), ["2", "3"]);
        assert_eq!(cache.stats().evictions, 1);
    }

    #[test]
    fn what_was_read_stays_before_what_was_not() {
        let cache = bounded(2);
        cache.set("a", "1");
        cache.set("b", "2");
        cache.get("a");
        assert_eq!(values(&cache.set("c", "3").displaced), ["2"]);
    }

    #[test]
    fn a_peek_keeps_nothing_in_the_cache() {
        let cache = bounded(2);
        cache.set("a", "1");
        cache.set("b", "2");
        cache.peek(b"a");
        assert_eq!(values(&cache.set("c", "3").displaced), ["1"]);
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
            assert_eq!(values(&written.displaced), ["a"]);
            assert_eq!(cache.get("new"), Some("new"));
        }
    }

    #[test]
    fn a_refused_write_evicts_nobody() {
        let cache = bounded(1);
        cache.set("a", "1");
        cache.put("b", "2", on(Condition::IfMatch(tag("v1")))).unwrap_err();
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
        cache.delete("b", &Condition::Always);
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
}

mod clearing {
    use super::*;

    #[test]
    fn a_cleared_cache_is_empty_and_the_caller_has_what_was_in_it() {
        for cache in [unbounded(), bounded(10)] {
            cache.set("a", "1");
            cache.put("b", "2", for_seconds(1)).unwrap();
            assert_eq!(values(&cache.clear()), ["1", "2"]);
            cache.validate();
            assert!(cache.is_empty() && cache.entries().is_empty());
            cache.set("a", "3");
            assert_eq!(cache.get("a"), Some("3"));
        }
    }
}

mod accounting {
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
        assert_eq!(cache.entry_bytes(), 2 * plain + 2 + 3 + 4);
    }

    #[test]
    fn the_bytes_of_the_entries_are_none_once_all_are_gone() {
        let empty: [fn(&Cache<&'static str>); 3] = [
            |cache| KEYS.iter().for_each(|key| _ = cache.delete(key, &Condition::Always)),
            |cache| _ = cache.clear(),
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
                cache.write(&n.to_be_bytes(), "value", for_seconds(60)).unwrap();
            }
            assert!(cache.bytes() >= at_the_start + cache.entry_bytes());
            cache.clear();
            assert_eq!(cache.bytes(), at_the_start);
        }
    }
}

mod dropping {
    use super::*;

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
            assert!(cache.map.shards().iter().all(|shard| shard.try_write().is_some()));
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
        assert!(matches!(cache.remove(b"c", &Condition::Always), Removed::Absent));
        drop(cache.expire_due());
        assert!(put(b"a", PLAIN) && put(b"b", PLAIN));
        drop(cache.remove(b"a", &Condition::Always));
        drop(cache.clear());
        assert!(cache.is_empty());
    }
}
