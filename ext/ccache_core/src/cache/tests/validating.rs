use super::*;

#[test]
fn an_entry_is_as_young_as_its_write() {
    let cache = unbounded();
    cache.advance(Duration::from_secs(3));
    assert_eq!(cache.set("a", "1").entry.validated(), 3 * SECOND);
}

#[test]
fn an_entry_that_came_from_elsewhere_is_as_old_as_it_says_and_expires_from_now_on() {
    let cache = unbounded();
    cache.advance(Duration::from_secs(3));
    let write = Write {
        as_of: Some(2 * SECOND),
        ..for_seconds(10)
    };
    let entry = cache.put("a", "1", write).unwrap().entry;
    assert_eq!(
        (entry.validated(), entry.deadline()),
        (2 * SECOND, 13 * SECOND)
    );
    cache.advance(Duration::from_secs(10) + LATE);
    assert_eq!(cache.expire(), ["1"]);
}

#[test]
fn a_validation_makes_an_entry_younger_and_never_older() {
    let cache = unbounded();
    let entry = cache.put("a", "1", for_seconds(10)).unwrap().entry;
    entry.validate(5);
    assert_eq!(entry.validated(), 5);
    // An answer that comes late was asked for earlier.
    entry.validate(3);
    assert_eq!(entry.validated(), 5);
    assert_eq!(entry.deadline(), 10 * SECOND);
    assert_eq!(cache.peek(b"a").unwrap().validated(), 5);
    cache.validate();
}

#[test]
fn a_validation_of_a_replaced_entry_makes_no_other_one_younger() {
    let cache = unbounded();
    let old = cache.set("a", "1").entry;
    cache.set("a", "2");
    old.validate(5);
    assert_eq!(cache.peek(b"a").unwrap().validated(), 0);
}
