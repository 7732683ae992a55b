//! What can be asked about a cache as a whole.

use super::{BATCH, Cache};
use crate::clock::Clock;
use crate::entry::{ByKey, Entry, HeapBytes};
use crate::gate::GATE;
use crate::policy::Bounds;
use crate::stats::{Counters, Stats};
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl<V: HeapBytes> Cache<V> {
    /// All live entries, each shard as it was at one moment.
    ///
    /// **Locking behaviour:** each shard's read lock in turn.
    pub fn entries(&self) -> Vec<Arc<Entry<V>>> {
        let _inside = GATE.enter();
        self.live_entries()
    }

    /// The keys of all live entries, as [`entries`](Self::entries).
    ///
    /// **Locking behaviour:** each shard's read lock in turn.
    pub fn keys(&self) -> Vec<Box<[u8]>> {
        let _inside = GATE.enter();
        let entries = self.live_entries();
        entries.iter().map(|entry| entry.key().into()).collect()
    }

    /// Up to `most` live entries that were used most lately, each with about how often
    /// that was, the most used one first. None in a cache that never had a bound, which
    /// counts no uses.
    ///
    /// **Locking behaviour:** each shard's read lock in turn; then the policy's, for a
    /// batch of entries at a time.
    pub fn hottest(&self, most: usize) -> Vec<(Arc<Entry<V>>, u64)> {
        if !self.is_tracked.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let entries = {
            let _inside = GATE.enter();
            self.live_entries()
        };
        let mut hottest = Vec::with_capacity(entries.len());
        for batch in entries.chunks(BATCH) {
            let _inside = GATE.enter();
            let policy = self.policy.lock();
            hottest.extend(batch.iter().map(|entry| {
                let uses = policy.popularity(entry, self.hash(entry.key()));
                (Arc::clone(entry), uses)
            }));
        }
        hottest.sort_by_key(|&(_, uses)| Reverse(uses));
        hottest.truncate(most);
        hottest
    }

    fn live_entries(&self) -> Vec<Arc<Entry<V>>> {
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(self.len());
        entries.extend(
            self.map
                .iter()
                .filter(|item| !self.is_over(item.key(), now))
                .map(|item| Arc::clone(item.key())),
        );
        entries
    }

    /// How many leases are held.
    ///
    /// **Locking behaviour:** none.
    pub fn leases(&self) -> usize {
        self.leases.held()
    }

    /// How many entries there are, those included that expired less than a
    /// tick of the timer wheel ago.
    ///
    /// **Locking behaviour:** none.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is no entry.
    ///
    /// **Locking behaviour:** none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in the entries and their keys, the table apart.
    ///
    /// **Locking behaviour:** none.
    pub fn entry_bytes(&self) -> usize {
        self.entry_bytes.load(Ordering::Relaxed)
    }

    /// All bytes that the cache holds, as asked from the allocator.
    ///
    /// **Locking behaviour:** each shard's read lock, the policy's, the wheel's, in turn.
    pub fn bytes(&self) -> usize {
        const CONTROL_BYTE: usize = 1;
        let _inside = GATE.enter();
        let table = self.map.capacity() * 8 / 7 * (size_of::<ByKey<V>>() + CONTROL_BYTE);
        size_of::<Self>()
            + self.entry_bytes()
            + table
            + self.policy.lock().bytes()
            + self.wheel.lock().bytes()
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The counters' present values.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// The most that is kept.
    ///
    /// **Locking behaviour:** the policy's lock.
    pub fn bounds(&self) -> Bounds {
        let _inside = GATE.enter();
        self.policy.lock().bounds()
    }

    /// The weight of all entries; none in a cache that never had a bound.
    ///
    /// **Locking behaviour:** the policy's lock.
    pub fn weight(&self) -> u64 {
        let _inside = GATE.enter();
        self.policy.lock().load().bytes
    }

    /// The clock that the cache was made with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}
