//! The cache: a sharded map of `Arc<Entry<V>>`, and the bookkeeping beside it.
//!
//! Locks, always taken in this order: a shard's, the leases', the policy's, the
//! wheel's; the graveyard's is taken alone. Under them nothing is called that is not in this crate, with one
//! exception: the closure given to [`Cache::read`] runs under the shard's read
//! lock and must only copy out what it needs. Displaced entries leave the locks
//! before they are dropped, since dropping the last `Arc` drops the value.
//!
//! Every public method enters the [fork gate](crate::gate) for as long as it is
//! inside, so no method may call another public one.

use crate::clock::{Clock, NEVER, Nanos};
use crate::entry::{ByKey, Entry, HeapBytes};
use crate::error::Refused;
use crate::etag::EtagSource;
use crate::expiry::Wheel;
use crate::gate::GATE;
use crate::lease::{LeaseId, Leases};
use crate::policy::{Bounds, Policy};
use crate::stats::{Counters, Stats};
use dashmap::{DashMap, SharedValue};
use foldhash::fast::SeedableRandomState;
use parking_lot::Mutex;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

mod books;
mod outcome;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod validate;

pub use outcome::{Cause, Condition, Displaced, Lifetime, Removed, Unwritten, Write, Written};

/// What a cache is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The most to keep.
    pub bounds: Bounds,
    /// Seeds the hash function and the etags; random in production.
    pub seed: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

/// How many entries are removed between two looks whether a fork is waiting.
const BATCH: usize = if cfg!(test) { 2 } else { 1024 };

/// A concurrent map of entries; see the top of this file.
#[derive(Debug)]
pub struct Cache<V> {
    map: DashMap<ByKey<V>, (), SeedableRandomState>,
    /// Whether the policy knows the entries: not before there is a bound.
    is_tracked: AtomicBool,
    policy: Mutex<Policy<V>>,
    wheel: Mutex<Wheel<V>>,
    next_expiry: AtomicU64,
    leases: Leases,
    /// Entries that a `clear` took out of the map, not yet struck from the books.
    graveyard: Mutex<Vec<Arc<Entry<V>>>>,
    etags: EtagSource,
    clock: Clock,
    counters: Counters,
    len: AtomicUsize,
    entry_bytes: AtomicUsize,
}

impl<V: HeapBytes> Cache<V> {
    /// An empty cache.
    pub fn new(config: Config) -> Self {
        Self {
            map: DashMap::with_hasher(SeedableRandomState::with_seed(
                config.seed,
                foldhash::SharedSeed::global_random(),
            )),
            is_tracked: AtomicBool::new(config.bounds.is_bounded()),
            policy: Mutex::new(Policy::new(config.bounds)),
            wheel: Mutex::new(Wheel::new()),
            next_expiry: AtomicU64::new(NEVER),
            leases: Leases::default(),
            graveyard: Mutex::default(),
            etags: EtagSource::new(config.seed),
            clock: config.clock,
            counters: Counters::default(),
            len: AtomicUsize::new(0),
            entry_bytes: AtomicUsize::new(0),
        }
    }

    /// Looks `key` up and counts a hit or a miss. `take` copies out of the entry
    /// what the caller needs; it must neither block nor call into this crate.
    ///
    /// **Locking behaviour:** a shard's read lock, while `take` runs. Allocates nothing.
    #[inline]
    pub fn read<R>(&self, key: &[u8], take: impl FnOnce(&Entry<V>) -> R) -> Option<R> {
        let _inside = GATE.enter();
        let hash = self.hash(key);
        let shard = self.map.shards()[self.shard_of(hash)].read();
        match shard.get(hash, |(entry, _)| entry.key() == key) {
            Some((entry, _)) if self.is_live(entry) => {
                self.note_use(entry);
                self.counters.hits.increment();
                Some(take(entry))
            }
            _ => {
                self.counters.misses.increment();
                None
            }
        }
    }

    /// The entry of `key`, kept alive by its `Arc`, for a reader that has yet to
    /// find out whether it is a hit; counts nothing.
    ///
    /// **Locking behaviour:** a shard's read lock.
    pub fn find(&self, key: &[u8]) -> Option<Arc<Entry<V>>> {
        let entry = self.peek(key)?;
        self.note_use(&entry);
        Some(entry)
    }

    /// The entry of `key`, kept alive by its `Arc`; counts nothing.
    ///
    /// **Locking behaviour:** a shard's read lock.
    pub fn peek(&self, key: &[u8]) -> Option<Arc<Entry<V>>> {
        let _inside = GATE.enter();
        let hash = self.hash(key);
        let shard = self.map.shards()[self.shard_of(hash)].read();
        let (entry, _) = shard.get(hash, |(entry, _)| entry.key() == key)?;
        self.is_live(entry).then(|| Arc::clone(entry))
    }

    /// Writes `key` if the condition holds. Atomic: readers see the old entry or
    /// the new one. A value that is refused comes back with the reason.
    ///
    /// Room is made before the write, so that the bounds hold at every moment. (If the
    /// key's entry is removed just then, the cache is too large by the new one until
    /// this returns.)
    ///
    /// **Locking behaviour:** in a bounded cache a shard's read lock, the policy's, and
    /// for each eviction as [`remove`](Self::remove); then a shard's write lock, and
    /// under it, one after the other, the leases', the policy's and the wheel's where
    /// these are in use.
    pub fn write(&self, key: &[u8], value: V, write: Write) -> Result<Written<V>, Unwritten<V>> {
        let _inside = GATE.enter();
        let now = self.clock.now();
        let hash = self.hash(key);
        let mut displaced = Vec::new();
        let room = self.make_room(key, hash, &write, now, &mut displaced);
        let (entry, booked);
        {
            let mut shard = self.map.shards()[self.shard_of(hash)].write();
            let place = shard.get_mut(hash, |(entry, _)| entry.key() == key);
            let old = place.as_ref().map(|(entry, _)| &**entry);
            let live = old.filter(|old| !old.is_expired(now));
            let admitted = self.admit(key, live.map(|live| &**live), &write.condition);
            if let Err(why) = admitted.and_then(|()| room.admission()) {
                self.give_back(room);
                let overtaken = match why {
                    Refused::TooHeavy => shard.remove_entry(hash, |(entry, _)| entry.key() == key),
                    _ => None,
                };
                if let Some((ByKey(old), _)) = overtaken {
                    self.strike_from_books(&old);
                    displaced.push(self.replaced(old, now));
                }
                self.count_refusal(why);
                return Err(Unwritten {
                    value,
                    why,
                    displaced,
                });
            }
            let deadline = match write.lifetime {
                Lifetime::Unlimited => NEVER,
                Lifetime::For(nanos) => now.saturating_add(nanos),
                Lifetime::Kept => live.map_or(NEVER, |live| live.deadline()),
            };
            entry = Arc::new(Entry::new(
                key,
                value,
                write.weight,
                write.etag.unwrap_or_else(|| self.etags.next(&GATE)),
                write.as_of.unwrap_or(now),
                deadline,
            ));
            let old = if let Some(place) = place {
                Some(std::mem::replace(&mut place.0, ByKey(Arc::clone(&entry))).0)
            } else {
                let item = (ByKey(Arc::clone(&entry)), SharedValue::new(()));
                shard.insert(hash, item, |(entry, _)| self.hash(entry.key()));
                None
            };
            booked = self.enter_in_books(&entry, old.as_deref(), room);
            displaced.extend(old.map(|old| self.replaced(old, now)));
        }
        self.counters.sets.increment();
        if booked.has_surplus {
            self.evict_surplus(Some(&entry), now, &mut displaced);
        }
        Ok(Written {
            entry,
            displaced,
            earlier_deadline: booked.earlier_deadline,
        })
    }

    /// Removes `key` if the condition holds. Atomic.
    ///
    /// **Locking behaviour:** as [`write`](Self::write).
    pub fn remove(&self, key: &[u8], condition: &Condition) -> Removed<V> {
        let _inside = GATE.enter();
        let now = self.clock.now();
        let hash = self.hash(key);
        let mut shard = self.map.shards()[self.shard_of(hash)].write();
        let place = shard.get(hash, |(entry, _)| entry.key() == key);
        let live = place
            .map(|(entry, _)| &***entry)
            .filter(|old| !old.is_expired(now));
        let is_live = live.is_some();
        if self.admit(key, live, condition).is_err() {
            return Removed::PreconditionFailed;
        }
        match shard.remove_entry(hash, |(entry, _)| entry.key() == key) {
            None => Removed::Absent,
            Some((ByKey(entry), _)) => {
                self.strike_from_books(&entry);
                drop(shard);
                if is_live {
                    self.counters.deletes.increment();
                    Removed::Entry(entry)
                } else {
                    self.counters.expirations.increment();
                    Removed::Expired(entry)
                }
            }
        }
    }

    /// Removes all entries that are there when it comes to their shard: how many.
    /// Atomic per key. `dispose` gets each one, inside the gate and outside all
    /// locks; it must neither block nor call into this crate.
    ///
    /// In batches, so that a fork never waits for all of it, and a child finds what
    /// is left (see [`bury`](Self::bury)).
    ///
    /// **Locking behaviour:** each shard's write lock in turn, for as long as it
    /// takes to swap the table; then the policy's and the wheel's, per entry.
    pub fn clear(&self, dispose: impl FnMut(Displaced<V>)) -> usize {
        for shard in self.map.shards() {
            let _inside = GATE.enter();
            self.leases.void_all();
            let table = std::mem::take(&mut *shard.write());
            let entries = table.into_iter().map(|(entry, _)| entry.0);
            self.graveyard.lock().extend(entries);
        }
        self.bury(dispose)
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
            count += batch.len();
            for entry in batch {
                self.strike_from_books(&entry);
                let cause = Cause::Cleared;
                dispose(Displaced { entry, cause });
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

    /// When [`expire_due`](Self::expire_due) has work to do next; [`NEVER`] if it has none.
    pub fn next_expiry(&self) -> Nanos {
        self.next_expiry.load(Ordering::Acquire)
    }

    /// All live entries, each shard as it was at one moment.
    ///
    /// **Locking behaviour:** each shard's read lock in turn.
    pub fn entries(&self) -> Vec<Arc<Entry<V>>> {
        let _inside = GATE.enter();
        let now = self.clock.now();
        let mut entries = Vec::with_capacity(self.len());
        entries.extend(
            self.map
                .iter()
                .filter(|item| !item.key().is_expired(now))
                .map(|item| Arc::clone(item.key())),
        );
        entries
    }

    /// Takes a lease on `key`, for a loader that is about to read its source.
    ///
    /// **Locking behaviour:** the leases' lock.
    pub fn take_lease(&self, key: &[u8]) -> LeaseId {
        let _inside = GATE.enter();
        self.leases.take(key)
    }

    /// Gives back a lease that was not used in a write: whether it was still held.
    ///
    /// **Locking behaviour:** the leases' lock.
    pub fn give_back_lease(&self, key: &[u8], lease: LeaseId) -> bool {
        let _inside = GATE.enter();
        self.leases.give_back(key, lease)
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

    /// For the policy.
    #[inline]
    fn note_use(&self, entry: &Entry<V>) {
        if self.is_tracked.load(Ordering::Relaxed) {
            entry.place.uses.increment();
        }
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.map.hasher().build_hasher();
        hasher.write(key); // as `Hash` of `ByKey` does
        hasher.finish()
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // dashmap shards by the machine word
    fn shard_of(&self, hash: u64) -> usize {
        self.map.determine_shard(hash as usize)
    }

    /// Asks the clock only where the answer matters.
    #[inline]
    fn is_live(&self, entry: &Entry<V>) -> bool {
        !entry.expires() || !entry.is_expired(self.clock.now())
    }

    /// Whether a write of `key`, whose live entry is given, may be done. If so
    /// the key's lease is used up. The shard's lock is held.
    fn admit(
        &self,
        key: &[u8],
        live: Option<&Entry<V>>,
        condition: &Condition,
    ) -> Result<(), Refused> {
        if let Condition::IfLeased(lease) = condition {
            return if self.leases.give_back(key, *lease) {
                Ok(())
            } else {
                Err(Refused::LeaseVoid)
            };
        }
        if !condition.holds_for(live) {
            return Err(Refused::PreconditionFailed);
        }
        self.leases.void(key);
        Ok(())
    }
}
