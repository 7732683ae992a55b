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
    here.try_put("a", Condition::IfMatch(tag("v1")));
    assert_eq!(
        here.set("a", "1").entry.etag(),
        there.set("a", "1").entry.etag()
    );
}
