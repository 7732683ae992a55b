use super::*;

fn if_leased(lease: LeaseId) -> Write {
    on(Condition::IfLeased(lease))
}

#[test]
fn a_held_lease_lets_one_write_through() {
    let cache = unbounded();
    let lease = cache.take_lease(b"a");
    cache.put("a", "loaded", if_leased(lease)).unwrap();
    assert_eq!(cache.try_put("a", Condition::IfLeased(lease)), LeaseVoid);
    assert_eq!(cache.get("a"), Some("loaded"));
}

#[test]
fn a_set_a_delete_and_a_clear_void_the_lease() {
    let cache = unbounded();
    let voiders: [fn(&Cache<&'static str>); 4] = [
        |cache| _ = cache.set("a", "set"),
        |cache| _ = cache.delete("a"),
        |cache| _ = cache.delete("a"), // though nothing is there
        |cache| _ = cache.clear_all(),
    ];
    for void in voiders {
        let lease = cache.take_lease(b"a");
        void(&cache);
        assert_eq!(cache.try_put("a", Condition::IfLeased(lease)), LeaseVoid);
        assert!(!cache.give_back_lease(b"a", lease));
    }
}

#[test]
fn what_leaves_the_key_as_it_is_leaves_the_lease_valid() {
    let cache = bounded(1);
    cache.set("a", "1");
    let lease = cache.take_lease(b"a");
    cache.try_put("a", Condition::IfAbsent);
    cache.try_put("a", Condition::IfMatch(tag("v1")));
    cache.delete_if("a", &Condition::IfMatch(tag("v1")));
    cache.set("b", "evicts a");
    cache.get("a");
    cache.put("a", "loaded", if_leased(lease)).unwrap();
}

#[test]
fn of_two_loads_side_by_side_the_first_one_to_end_stores() {
    let cache = unbounded();
    let (first, second) = (cache.take_lease(b"a"), cache.take_lease(b"a"));
    cache.put("a", "first", if_leased(first)).unwrap();
    assert_eq!(cache.try_put("a", Condition::IfLeased(second)), LeaseVoid);
    assert_eq!(cache.get("a"), Some("first"));
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
    assert_eq!(cache.try_put("b", Condition::IfLeased(lease)), LeaseVoid);
    assert!(cache.give_back_lease(b"a", lease));
    assert_eq!(cache.try_put("a", Condition::IfLeased(lease)), LeaseVoid);
}

#[test]
fn a_leased_removal_uses_the_lease_up() {
    let cache = unbounded();
    cache.set("a", "1");
    let leased = Condition::IfLeased(cache.take_lease(b"a"));
    assert_eq!(cache.delete_if("a", &leased), Value("1"));
    assert_eq!(cache.delete_if("a", &leased), Failed);
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
    cache.clear_all();
    cache.validate();
}
