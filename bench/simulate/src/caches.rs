//! The caches that are compared, each asked the same way.

use crate::trace::Trace;
use ccache_core::{Bounds, Cache, Clock, Condition, Config, HeapBytes, Lifetime, Write};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;

/// The names of the caches, ours first, the best possible one last.
pub(crate) const NAMES: [&str; 5] = ["ccache", "LRU", "quick_cache", "moka", "best possible"];

/// Where the peers stand among the names.
pub(crate) const PEERS: std::ops::Range<usize> = 1..4;

/// The share of accesses that a cache of so many entries answers, in percent.
pub(crate) fn hit_ratio(cache: usize, capacity: usize, trace: &Trace) -> f64 {
    let hits = match NAMES[cache] {
        "ccache" => count_hits(trace, &mut ours(capacity)),
        "LRU" => count_hits(trace, &mut lru(capacity)),
        "quick_cache" => count_hits(trace, &mut quick_cache(capacity)),
        "moka" => count_hits(trace, &mut moka(capacity)),
        _ => hits_of_the_best(capacity, trace),
    };
    100.0 * hits as f64 / trace.accesses.len() as f64
}

fn count_hits(trace: &Trace, is_hit: &mut impl FnMut(u32) -> bool) -> usize {
    trace.accesses.iter().filter(|&&key| is_hit(key)).count()
}

struct Nothing;

impl HeapBytes for Nothing {
    fn heap_bytes(&self) -> usize {
        0
    }
}

fn ours(capacity: usize) -> impl FnMut(u32) -> bool {
    let cache = Cache::new(Config {
        bounds: Bounds {
            max_entries: NonZeroUsize::new(capacity),
            max_bytes: None,
        },
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    });
    move |key| {
        let key = key.to_le_bytes();
        let is_hit = cache.read(&key, |_| ()).is_some();
        if !is_hit {
            let write = Write {
                etag: None,
                lifetime: Lifetime::Unlimited,
                condition: Condition::Always,
                as_of: None,
                weight: 0,
            };
            let written = cache.write(&key, Nothing, write);
            assert!(written.is_ok() && cache.len() <= capacity);
        }
        is_hit
    }
}

fn quick_cache(capacity: usize) -> impl FnMut(u32) -> bool {
    let cache = quick_cache::sync::Cache::new(capacity);
    move |key| {
        let is_hit = cache.get(&key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        is_hit
    }
}

/// As it is: between two rounds of its own housekeeping it holds more than its bound,
/// which shows where that is small. (With `run_pending_tasks` after each access its
/// ratios are lower.)
fn moka(capacity: usize) -> impl FnMut(u32) -> bool {
    let cache = moka::sync::Cache::new(capacity as u64);
    move |key| {
        let is_hit = cache.get(&key).is_some();
        if !is_hit {
            cache.insert(key, ());
        }
        is_hit
    }
}

fn lru(capacity: usize) -> impl FnMut(u32) -> bool {
    let mut moments = HashMap::new();
    let mut by_moment = BTreeMap::new();
    let mut now = 0_u64;
    move |key| {
        now += 1;
        let last = moments.insert(key, now);
        by_moment.insert(now, key);
        match last {
            Some(last) => _ = by_moment.remove(&last),
            None if moments.len() > capacity => {
                if let Some((_, oldest)) = by_moment.pop_first() {
                    moments.remove(&oldest);
                }
            }
            None => {}
        }
        last.is_some()
    }
}

/// Who knows the future evicts what is needed last (Belady, IBM Systems Journal 1966).
fn hits_of_the_best(capacity: usize, trace: &Trace) -> usize {
    const NEVER: usize = usize::MAX;
    let mut next = vec![NEVER; trace.keys];
    let mut next_access: Vec<usize> = vec![NEVER; trace.accesses.len()];
    for (moment, &key) in trace.accesses.iter().enumerate().rev() {
        next_access[moment] = std::mem::replace(&mut next[key as usize], moment);
    }
    let mut kept = BTreeSet::new();
    let mut hits = 0;
    for (moment, &key) in trace.accesses.iter().enumerate() {
        hits += usize::from(kept.remove(&(moment, key)));
        kept.insert((next_access[moment], key));
        if kept.len() > capacity {
            kept.pop_last();
        }
    }
    hits
}
