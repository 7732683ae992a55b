//! What takes many entries out: `clear`, expiry, and another bound.

use super::{BATCH, Cache, Cause, Displaced};
use crate::clock::Nanos;
use crate::entry::HeapBytes;
use crate::gate::GATE;
use crate::policy::Bounds;
use std::sync::atomic::Ordering;

impl<V: HeapBytes> Cache<V> {
    /// Removes all entries that are there when it comes to their shard: how many were
    /// live when it began. Atomic per key. `dispose` gets each one, also those whose time
    /// was over, inside the gate and outside all locks; it must neither block nor call
    /// into this crate.
    ///
    /// In batches, so that a fork never waits for all of it, and a child finds what
    /// is left (see [`bury`](Self::bury)).
    ///
    /// **Locking behaviour:** each shard's write lock in turn, for as long as it
    /// takes to swap the table; then the policy's and the wheel's, per entry.
    pub fn clear(&self, dispose: impl FnMut(Displaced<V>)) -> usize {
        self.empty_map();
        self.bury(dispose)
    }

    pub(super) fn empty_map(&self) {
        let now = self.clock.now();
        for shard in self.map.shards() {
            let _inside = GATE.enter();
            self.leases.void_all();
            let table = {
                let mut shard = shard.write();
                self.len.fetch_sub(shard.len(), Ordering::Relaxed);
                std::mem::take(&mut *shard)
            };
            let entries = table.into_iter().map(|(entry, _)| entry.0);
            let cleared = entries.map(|entry| self.displaced(entry, Cause::Cleared, now));
            self.graveyard.lock().extend(cleared);
        }
    }

    /// Does what is left of a [`clear`](Self::clear): for a child that was forked
    /// in the middle of its parent's.
    ///
    /// **Locking behaviour:** as [`clear`](Self::clear), without the shards'.
    pub fn bury(&self, mut dispose: impl FnMut(Displaced<V>)) -> usize {
        let mut count = 0;
        loop {
            let _inside = GATE.enter();
            let batch = {
                let mut graveyard = self.graveyard.lock();
                let rest = graveyard.len().saturating_sub(BATCH);
                let batch = graveyard.split_off(rest);
                if rest == 0 {
                    *graveyard = Vec::new();
                }
                batch
            };
            if batch.is_empty() {
                return count;
            }
            for gone in batch {
                self.strike_uncounted(&gone.entry);
                self.count_departure(gone.cause);
                count += usize::from(gone.cause == Cause::Cleared);
                dispose(gone);
            }
        }
    }

    /// Removes what has expired, and says when there is more to do. `dispose` gets
    /// each one, as in [`clear`](Self::clear); in batches for the same reason.
    ///
    /// **Locking behaviour:** the wheel's lock; then for each expired entry as
    /// [`remove`](Self::remove).
    pub fn expire_due(&self, mut dispose: impl FnMut(Displaced<V>)) -> Nanos {
        let now = self.clock.now();
        loop {
            let _inside = GATE.enter();
            let (expired, next) = {
                let mut wheel = self.wheel.lock();
                let expired = wheel.expire(now, BATCH);
                (expired, self.note_next_expiry(&wheel))
            };
            for entry in expired {
                // One that was replaced or removed meanwhile is not in the map.
                if self.remove_this(&entry) {
                    self.counters.expirations.increment();
                    let cause = Cause::Expired;
                    dispose(Displaced { entry, cause });
                }
            }
            if next > now {
                return next;
            }
        }
    }

    /// When [`expire_due`](Self::expire_due) has work to do next; [`NEVER`](crate::NEVER) if it has none.
    pub fn next_expiry(&self) -> Nanos {
        self.next_expiry.load(Ordering::Acquire)
    }

    /// Changes the bounds, and evicts what they no longer allow: `dispose` gets each
    /// one, as in [`clear`](Self::clear). Then memory that is not needed is given back.
    ///
    /// **Locking behaviour:** the policy's lock; each shard's write lock in turn, if the
    /// cache had no bound, and to give memory back; for each eviction as
    /// [`remove`](Self::remove).
    pub fn resize(&self, bounds: Bounds, dispose: impl FnMut(Displaced<V>)) {
        self.change_bounds(|_| bounds, dispose);
    }

    /// The same, with bounds made of those that are there. Atomic.
    pub fn change_bounds(
        &self,
        change: impl FnOnce(Bounds) -> Bounds,
        mut dispose: impl FnMut(Displaced<V>),
    ) {
        let bounds = {
            let _inside = GATE.enter();
            let mut policy = self.policy.lock();
            let bounds = change(policy.bounds());
            policy.resize(bounds);
            bounds
        };
        if bounds.is_bounded() && !self.is_tracked.swap(true, Ordering::SeqCst) {
            self.track_all();
        }
        let mut has_surplus = true;
        while has_surplus {
            let _inside = GATE.enter();
            let mut displaced = Vec::new();
            while has_surplus && displaced.len() < BATCH {
                has_surplus = self.evict_one(None, self.clock.now(), &mut displaced);
            }
            displaced.into_iter().for_each(&mut dispose);
        }
        for shard in self.map.shards() {
            let _inside = GATE.enter();
            let mut shard = shard.write();
            if shard.len() < shard.capacity() / 4 {
                shard.shrink_to(0, |(entry, _)| self.hash(entry.key()));
            }
        }
        let _inside = GATE.enter();
        self.policy.lock().compact();
    }
}
