use super::*;

#[test]
fn if_absent_writes_where_nothing_lives() {
    let cache = unbounded();
    cache.put("a", "1", on(Condition::IfAbsent)).unwrap();
    let refused = cache.put("a", "2", on(Condition::IfAbsent)).unwrap_err();
    assert_eq!((refused.value, refused.why), ("2", PreconditionFailed));
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
    let if_first = || Condition::IfMatch(first.clone());
    cache.put("a", "2", on(if_first())).unwrap();
    assert_eq!(cache.try_put("a", if_first()), PreconditionFailed);
    assert_eq!(cache.try_put("b", if_first()), PreconditionFailed);
    assert_eq!((cache.get("a"), cache.get("b")), (Some("2"), None));
}

#[test]
fn if_match_fails_on_what_has_expired() {
    let cache = unbounded();
    let written = cache.put("a", "1", for_seconds(1)).unwrap();
    let if_match = Condition::IfMatch(written.entry.etag().clone());
    cache.advance(Duration::from_secs(1));
    assert_eq!(cache.try_put("a", if_match.clone()), PreconditionFailed);
    assert_eq!(cache.delete_if("a", &if_match), Failed);
}

#[test]
fn if_none_match_writes_over_any_other_tag_and_over_none() {
    let cache = unbounded();
    let first = cache.set("a", "1").entry.etag().clone();
    let if_not_first = || Condition::IfNoneMatch(first.clone());
    assert_eq!(cache.try_put("a", if_not_first()), PreconditionFailed);
    assert_eq!(cache.delete_if("a", &if_not_first()), Failed);
    cache.put("b", "2", on(if_not_first())).unwrap();
    cache.set("a", "3");
    cache.put("a", "4", on(if_not_first())).unwrap();
    assert_eq!((cache.get("a"), cache.get("b")), (Some("4"), Some("2")));
    assert_eq!(cache.delete_if("a", &if_not_first()), Value("4"));
    assert_eq!(cache.delete_if("a", &if_not_first()), Absent);
}

#[test]
fn if_none_match_takes_what_has_expired_for_none() {
    let cache = unbounded();
    let written = cache.put("a", "1", for_seconds(1)).unwrap();
    let if_not_this = Condition::IfNoneMatch(written.entry.etag().clone());
    cache.advance(Duration::from_secs(1));
    cache.put("a", "2", on(if_not_this)).unwrap();
    assert_eq!(cache.get("a"), Some("2"));
}

#[test]
fn a_write_that_if_none_match_refuses_leaves_the_lease() {
    let cache = unbounded();
    let etag = cache.set("a", "1").entry.etag().clone();
    let lease = cache.take_lease(b"a");
    cache.try_put("a", Condition::IfNoneMatch(etag));
    cache.put("a", "2", on(Condition::IfLeased(lease))).unwrap();
}

#[test]
fn if_none_newer_gives_way_to_what_was_validated_later() {
    let cache = unbounded();
    cache.advance(Duration::from_secs(3));
    let entry = cache.set("a", "1").entry;
    let if_none_newer = |seconds| Condition::IfNoneNewer(seconds * SECOND);
    assert_eq!(cache.try_put("a", if_none_newer(2)), PreconditionFailed);
    assert_eq!(cache.delete_if("a", &if_none_newer(2)), Failed);
    cache.put("b", "2", on(if_none_newer(2))).unwrap();

    entry.validate(4 * SECOND);
    assert_eq!(cache.try_put("a", if_none_newer(3)), PreconditionFailed);
    cache.put("a", "3", on(if_none_newer(4))).unwrap();
    assert_eq!((cache.get("a"), cache.get("b")), (Some("3"), Some("2")));
    assert_eq!(cache.delete_if("a", &if_none_newer(3)), Value("3"));
}

#[test]
fn if_none_newer_takes_what_has_expired_for_none() {
    let cache = unbounded();
    cache.advance(Duration::from_secs(3));
    cache.put("a", "1", for_seconds(1)).unwrap();
    cache.advance(Duration::from_secs(1));
    cache.put("a", "2", on(Condition::IfNoneNewer(0))).unwrap();
    assert_eq!(cache.get("a"), Some("2"));
}

#[test]
fn a_removal_takes_the_entry_out() {
    let cache = unbounded();
    cache.set("a", "1");
    assert_eq!(cache.delete("a"), Value("1"));
    assert_eq!(cache.delete("a"), Absent);
    assert_eq!((cache.get("a"), cache.stats().deletes), (None, 1));
}

#[test]
fn a_removal_depends_on_its_condition_too() {
    let cache = unbounded();
    let etag = cache.set("a", "1").entry.etag().clone();
    for condition in [Condition::IfMatch(tag("v1")), Condition::IfAbsent] {
        assert_eq!(cache.delete_if("a", &condition), Failed);
    }
    let if_match = Condition::IfMatch(etag);
    assert_eq!(cache.delete_if("b", &if_match), Failed);
    assert_eq!(cache.delete_if("a", &if_match), Value("1"));
}

#[test]
fn the_removal_of_what_has_expired_finds_nothing() {
    let cache = unbounded();
    cache.put("a", "1", for_seconds(1)).unwrap();
    cache.advance(Duration::from_secs(1));
    assert_eq!(cache.delete("a"), Absent);
    let stats = cache.stats();
    assert_eq!((stats.deletes, stats.expirations, cache.len()), (0, 1, 0));
}
