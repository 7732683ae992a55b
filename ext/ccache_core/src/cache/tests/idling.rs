use super::*;

fn idle_for(seconds: u64) -> Cache<&'static str> {
    Cache::new(Config {
        bounds: Bounds::default(),
        idle: Some(seconds * SECOND),
        seed: 7,
        clock: Clock::manual(),
    })
}

#[test]
fn an_entry_that_nobody_reads_goes_and_one_that_is_read_stays() {
    let cache = idle_for(10);
    cache.set("read", "1");
    cache.set("found", "2");
    cache.set("peeked", "3");
    cache.set("left alone", "4");
    for _ in 0..5 {
        cache.advance(Duration::from_secs(4));
        assert_eq!(cache.get("read"), Some("1"));
        assert!(cache.find(b"found").is_some());
        cache.peek(b"peeked");
    }
    let mut expired = cache.expire();
    expired.sort_unstable();
    assert_eq!(expired, ["3", "4"]);
    cache.validate();
    assert_eq!((cache.len(), cache.stats().expirations), (2, 2));
}

#[test]
fn an_idle_entry_is_gone_before_anybody_frees_it() {
    let cache = idle_for(10);
    cache.set("a", "1");
    cache.advance(Duration::from_secs(11));
    assert_eq!(cache.get("a"), None);
    assert!(cache.find(b"a").is_none());
    assert!(cache.peek(b"a").is_none());
    assert!(cache.entries().is_empty());
    let written = cache.put("a", "2", PLAIN).unwrap();
    assert_eq!(written.displaced[0].cause, Cause::Expired);
}

#[test]
fn an_entry_that_is_read_still_ends_with_its_lifetime() {
    let cache = idle_for(10);
    cache.put("a", "1", for_seconds(15)).unwrap();
    cache.advance(Duration::from_secs(9));
    assert_eq!(cache.get("a"), Some("1"));
    cache.advance(Duration::from_secs(6));
    assert_eq!(cache.get("a"), None);
}

#[test]
fn an_idle_entry_leaves_as_expired_whatever_takes_it_out() {
    fn resize(cache: &Cache<&'static str>) -> Vec<Displaced<&'static str>> {
        let mut left = Vec::new();
        let bounds = Bounds {
            max_entries: NonZeroUsize::new(1),
            max_bytes: None,
        };
        cache.resize(bounds, |gone| left.push(gone));
        left
    }
    for take in [Cache::clear_all, resize] {
        let cache = idle_for(10);
        cache.set("a", "1");
        cache.set("b", "2");
        cache.advance(Duration::from_secs(11));
        let left = take(&cache);
        assert!(left.iter().all(|gone| gone.cause == Cause::Expired));
        assert_eq!(cache.stats().expirations, left.len() as u64);
        assert!(!left.is_empty());
    }
}
