use super::*;

#[test]
fn a_write_without_time_to_live_is_not_kept_and_takes_the_older_entry_out() {
    for cache in [unbounded(), bounded(1)] {
        cache.set("a", "old");
        let refused = cache.put("a", "1", for_seconds(0)).unwrap_err();
        assert_eq!(
            (refused.why, refused.displaced.len()),
            (Refused::Expired, 1)
        );
        assert_eq!((cache.get("a"), cache.len()), (None, 0));
        assert_eq!((cache.stats().sets, cache.stats().refusals), (2, 0));
    }
}

#[test]
fn a_write_without_time_to_live_is_still_judged_by_its_condition() {
    let cache = unbounded();
    cache.set("a", "old");
    let lease = cache.take_lease(b"a");
    let write = |condition| Write {
        condition,
        ..for_seconds(0)
    };
    let failed = cache.put("a", "1", write(Condition::IfAbsent)).unwrap_err();
    assert_eq!(failed.why, PreconditionFailed);
    assert_eq!(cache.get("a"), Some("old"));
    let expired = cache
        .put("a", "1", write(Condition::IfLeased(lease)))
        .unwrap_err();
    assert_eq!((expired.why, cache.get("a")), (Refused::Expired, None));
    assert_eq!(cache.try_put("a", Condition::IfLeased(lease)), LeaseVoid);
}

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
fn all_that_is_due_goes_at_once() {
    let cache = unbounded();
    for key in ["a", "b", "c", "d", "e"] {
        cache.put(key, "value", for_seconds(1)).unwrap();
    }
    cache.advance(Duration::from_secs(1) + LATE);
    assert_eq!(cache.expire(), ["value"; 5]);
    assert_eq!((cache.len(), cache.next_expiry()), (0, NEVER));
}

#[test]
fn whoever_sleeps_until_the_next_expiry_frees_every_entry_in_time() {
    let cache = unbounded();
    for (key, seconds) in [
        ("a", 1),
        ("b", 90),
        ("c", 7200),
        ("d", 90_000),
        ("e", 2_000_000),
    ] {
        cache.put(key, "value", for_seconds(seconds)).unwrap();
    }
    while !cache.is_empty() {
        let sleep = cache.next_expiry() - cache.clock().now();
        cache.advance(Duration::from_nanos(sleep));
        let now = cache.clock().now();
        for entry in cache.expire_all().0 {
            let late = Duration::from_nanos(now - entry.entry.deadline());
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
    assert_eq!(
        (written.entry.validated(), written.entry.deadline()),
        (SECOND, 2 * SECOND)
    );
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
fn a_write_says_when_the_next_expiry_became_earlier() {
    let cache = unbounded();
    assert!(!cache.set("a", "1").earlier_deadline);
    assert!(
        cache
            .put("b", "2", for_seconds(60))
            .unwrap()
            .earlier_deadline
    );
    assert!(
        !cache
            .put("c", "3", for_seconds(60))
            .unwrap()
            .earlier_deadline
    );
    assert!(
        !cache
            .put("d", "4", for_seconds(7200))
            .unwrap()
            .earlier_deadline
    );
    assert!(
        cache
            .put("d", "5", for_seconds(1))
            .unwrap()
            .earlier_deadline
    );
    assert!(
        !cache
            .put("d", "6", for_seconds(7200))
            .unwrap()
            .earlier_deadline
    );
}

#[test]
fn the_next_expiry_moves_away_when_its_entry_goes() {
    let cache = unbounded();
    cache.put("a", "1", for_seconds(60)).unwrap();
    let later = cache.next_expiry();
    cache.put("b", "2", for_seconds(1)).unwrap();
    assert!(cache.next_expiry() < later);
    cache.delete("b");
    assert_eq!(cache.next_expiry(), later);
    cache.clear_all();
    assert_eq!(cache.next_expiry(), NEVER);
}
