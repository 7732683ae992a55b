#![allow(clippy::unwrap_used)]

use super::*;
use crate::clock::NEVER;
use crate::etag::Etag;
use proptest::prelude::*;
use std::collections::HashMap;
use std::num::{NonZeroU64, NonZeroUsize};

type Kept = Arc<Entry<()>>;

fn entry(key: u64, weight: u32) -> Kept {
    let etag = Etag::parse(b"tag").unwrap();
    Arc::new(Entry::new(
        &key.to_le_bytes(),
        (),
        weight,
        etag,
        0,
        NEVER,
        0,
    ))
}

fn key(entry: &Entry<()>) -> u64 {
    u64::from_le_bytes(entry.key().try_into().unwrap())
}

fn hash(entry: &Entry<()>) -> u64 {
    mix(key(entry))
}

/// Spreads numbers over 64 bits (SplitMix64).
fn mix(number: u64) -> u64 {
    let n = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// A policy driven as the cache drives it, with every outcome checked.
struct Driven {
    policy: Policy<()>,
    entries: HashMap<u64, Kept>,
    hits: usize,
}

impl Driven {
    fn new(max_entries: usize, max_bytes: u64) -> Self {
        Self {
            policy: Policy::new(Bounds {
                max_entries: NonZeroUsize::new(max_entries),
                max_bytes: NonZeroU64::new(max_bytes),
            }),
            entries: HashMap::new(),
            hits: 0,
        }
    }

    fn of_entries(max_entries: usize) -> Self {
        Self::new(max_entries, 0)
    }

    fn evict(&mut self, spared: Option<&Entry<()>>) {
        while let Some(victim) = self.policy.evict_surplus(spared, hash) {
            assert!(spared.is_none_or(|spared| !std::ptr::eq(spared, &*victim)));
            let known = self.entries.remove(&key(&victim)).unwrap();
            assert!(Arc::ptr_eq(&known, &victim), "an entry was evicted twice");
        }
    }

    fn write(&mut self, key: u64, weight: u32) {
        let old = self.entries.get(&key).cloned();
        let room = old.as_ref().map_or(Load::one(weight.into()), |old| Load {
            entries: 0,
            bytes: u64::from(weight).saturating_sub(old.weight()),
        });
        self.policy.reserve(room);
        self.evict(old.as_deref());
        self.policy.release(room);
        let new = entry(key, weight);
        match old {
            Some(old) => {
                new.place.uses.put(old.place.uses.get());
                new.place.uses.increment();
                self.policy.replace(&old, &new, hash);
            }
            None => self.policy.insert(&new, hash),
        }
        self.entries.insert(key, new);
        assert!(self.policy.bounds().allow(self.policy.load()));
    }

    fn read(&mut self, key: u64) -> bool {
        let entry = self.entries.get(&key);
        entry.inspect(|entry| entry.place.uses.increment());
        entry.is_some()
    }

    /// Reads a key, and writes it if it is not there.
    fn access(&mut self, key: u64) {
        if self.read(key) {
            self.hits += 1;
        } else {
            self.write(key, 1);
        }
    }

    fn hits_of(&mut self, keys: impl IntoIterator<Item = u64>) -> usize {
        self.hits = 0;
        keys.into_iter().for_each(|key| self.access(key));
        self.validate();
        self.hits
    }

    fn remove(&mut self, key: u64) {
        if let Some(entry) = self.entries.remove(&key) {
            self.policy.remove(&entry);
            self.policy.remove(&entry);
        }
    }

    fn resize(&mut self, max_entries: usize, max_bytes: u64) {
        self.policy.resize(Bounds {
            max_entries: NonZeroUsize::new(max_entries),
            max_bytes: NonZeroU64::new(max_bytes),
        });
        self.evict(None);
        self.policy.compact();
    }

    fn validate(&self) {
        self.policy.validate();
        let mut load = Load::default();
        for entry in self.entries.values() {
            assert!(self.policy.holds(entry), "an entry was lost");
            load += Load::one(entry.weight());
        }
        assert_eq!(self.policy.load(), load);
        assert!(self.policy.bounds().allow(load));
        let share = self.policy.window.share();
        assert!((0.01..=0.99).contains(&share));
    }

    fn has_kept(&self, keys: std::ops::Range<u64>) -> usize {
        keys.filter(|key| self.entries.contains_key(key)).count()
    }
}

#[test]
fn a_scan_leaves_what_is_in_use_where_it_is() {
    let mut cache = Driven::of_entries(100);
    cache.hits_of((0..50).cycle().take(1000));
    assert_eq!(cache.hits_of(1000..11_000), 0);
    let kept = cache.has_kept(0..50);
    assert!(kept > 45, "{kept} of 50");
}

#[test]
fn a_loop_larger_than_the_cache_is_hit_in_part() {
    let mut cache = Driven::of_entries(100);
    cache.hits_of(0..200);
    let hits = cache.hits_of((0..200).cycle().take(20_000));
    // Nobody can do better than 100 of 200.
    assert!(hits > 9_000, "{hits} of 20,000");
}

#[test]
fn keys_that_came_once_do_not_push_out_those_that_come_now_and_then() {
    let mut cache = Driven::of_entries(100);
    let flood = (0..40_000).map(|n| if n % 4 == 0 { n / 4 % 80 } else { 1000 + n });
    let hits = cache.hits_of(flood);
    assert!(hits > 9_000, "{hits} of 10,000");
}

#[test]
fn a_working_set_that_wanders_makes_the_window_wide() {
    let mut cache = Driven::of_entries(100);
    let wandering = (0..50_000).map(|n: u64| n / 10 + mix(n) % 120);
    let hits = cache.hits_of(wandering);
    let share = cache.policy.window.share();
    assert!(share > 0.2, "{share}");
    assert!(hits > 35_000, "{hits} of 50,000");
}

#[test]
fn an_eviction_looks_at_a_limited_number_of_entries() {
    let mut cache = Driven::of_entries(3 * LOOKS);
    (0..3 * LOOKS as u64).for_each(|key| cache.write(key, 0));
    for entry in cache.entries.values() {
        entry.place.uses.put(Uses::MOST);
    }
    cache.write(u64::MAX, 0);
    let untouched = |entry: &&Kept| entry.place.uses.get() == Uses::MOST;
    let looked_at = 3 * LOOKS - cache.entries.values().filter(untouched).count();
    assert!(looked_at <= LOOKS + 2, "{looked_at} entries");
    cache.validate();
}

#[test]
fn bookkeeping_takes_no_more_than_64_bytes_per_entry() {
    for entries in [1_000, 3_000, 20_000, 33_000] {
        let mut cache = Driven::of_entries(entries);
        (0..3 * entries as u64).for_each(|key| cache.write(key, 0));
        let place = 12;
        let per_entry = place + cache.policy.bytes() / entries;
        assert!(per_entry <= 64, "{per_entry} bytes for each of {entries}");
        cache.validate();
    }
}

#[test]
fn an_emptied_policy_takes_no_more_memory_than_a_new_one() {
    let mut cache = Driven::of_entries(1000);
    let new = cache.policy.bytes();
    (0..3000).for_each(|key| cache.write(key, 0));
    (0..3000).for_each(|key| cache.remove(key));
    assert_eq!(cache.policy.bytes(), new);
}

#[derive(Debug, Clone)]
enum Step {
    Write(u64, u32),
    Read(u64),
    Remove(u64),
    Resize(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..40_u64;
    let step = prop_oneof![
        20 => (key.clone(), 0..6_u32).prop_map(|(key, weight)| Step::Write(key, weight)),
        20 => key.clone().prop_map(Step::Read),
        3 => key.prop_map(Step::Remove),
        1 => (1..30_usize, 5..60_u64).prop_map(|(entries, bytes)| Step::Resize(entries, bytes)),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn bounds_hold_and_every_entry_is_known_once(
        max_entries in 1..20_usize,
        max_bytes in prop_oneof![Just(0), 5..40_u64],
        steps in steps(),
    ) {
        let mut cache = Driven::new(max_entries, max_bytes);
        for step in steps {
            match step {
                Step::Write(key, weight) => cache.write(key, weight),
                Step::Read(key) => _ = cache.read(key),
                Step::Remove(key) => cache.remove(key),
                Step::Resize(entries, bytes) => cache.resize(entries, bytes),
            }
            cache.validate();
        }
    }
}
