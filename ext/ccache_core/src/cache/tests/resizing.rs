use super::*;

fn entries(max_entries: usize) -> Bounds {
    Bounds {
        max_entries: NonZeroUsize::new(max_entries),
        max_bytes: None,
    }
}

fn fill(cache: &Cache<&'static str>, keys: u32) {
    for key in 0..keys {
        cache.write(&key.to_be_bytes(), "value", PLAIN).unwrap();
    }
}

fn resize(cache: &Cache<&'static str>, bounds: Bounds) -> usize {
    let mut left = 0;
    cache.resize(bounds, |gone| {
        assert_eq!(gone.cause, Cause::Size);
        left += 1;
    });
    cache.validate();
    left
}

#[test]
fn a_smaller_bound_evicts_and_gives_memory_back() {
    let cache = bounded(1000);
    fill(&cache, 2000);
    let full = cache.bytes();
    assert_eq!(resize(&cache, entries(10)), 990);
    assert_eq!((cache.len(), cache.stats().evictions), (10, 1990));
    assert!(cache.bytes() < full / 8, "{} of {full}", cache.bytes());
    fill(&cache, 2000);
    assert_eq!(cache.len(), 10);
}

#[test]
fn a_larger_bound_has_room_for_more() {
    let cache = bounded(10);
    fill(&cache, 100);
    assert_eq!(resize(&cache, entries(50)), 0);
    fill(&cache, 100);
    assert_eq!((cache.len(), cache.bounds()), (50, entries(50)));
}

#[test]
fn a_cache_without_a_bound_gets_one_and_loses_it() {
    let cache = unbounded();
    fill(&cache, 100);
    assert_eq!(resize(&cache, entries(30)), 70);
    fill(&cache, 100);
    assert_eq!(cache.len(), 30);
    assert_eq!(resize(&cache, Bounds::default()), 0);
    fill(&cache, 100);
    assert_eq!(cache.len(), 100);
    cache.validate();
}
