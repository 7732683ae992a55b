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
use crate::etag::{Etag, EtagSource};
use crate::expiry::Wheel;
use crate::gate::GATE;
use crate::idle::{Idle, Moment};
use crate::lease::{LeaseId, Leases};
use crate::policy::{Bounds, Policy};
use crate::stats::Counters;
use dashmap::DashMap;
use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use parking_lot::Mutex;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

mod books;
mod facts;
mod outcome;
mod sweeping;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "testing"))]
mod validate;
mod writing;

pub use outcome::{Cause, Condition, Displaced, Lifetime, Removed, Unwritten, Write, Written};

/// What a cache is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The most to keep.
    pub bounds: Bounds,
    /// How long an entry may be there without being read, if that is bounded.
    pub idle: Option<Nanos>,
    /// Seeds the hash function and the etags; random in production.
    pub seed: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

/// How many entries are removed between two looks whether a fork is waiting.
const BATCH: usize = if cfg!(any(test, fuzzing)) { 2 } else { 1024 };

/// A concurrent map of entries; see the top of this file.
#[derive(Debug)]
pub struct Cache<V> {
    map: DashMap<ByKey<V>, (), SeedableRandomState>,
    /// Whether the policy knows the entries: not before there is a bound.
    is_tracked: AtomicBool,
    policy: Mutex<Policy<V>>,
    wheel: Mutex<Wheel<V>>,
    next_expiry: AtomicU64,
    idle: Option<Idle>,
    leases: Leases,
    /// Entries that a `clear` took out of the map, not yet struck from the books.
    graveyard: Mutex<Vec<Displaced<V>>>,
    etags: EtagSource,
    clock: Clock,
    counters: Counters,
    len: AtomicUsize,
    entry_bytes: AtomicUsize,
}

/// A process's own, so that nobody can choose keys that collide; a fuzzer's is always
/// the same, so that what it found can be run again.
fn shared_seed() -> &'static SharedSeed {
    if cfg!(fuzzing) {
        SharedSeed::global_fixed()
    } else {
        SharedSeed::global_random()
    }
}

impl<V: HeapBytes> Cache<V> {
    /// An empty cache.
    pub fn new(config: Config) -> Self {
        let idle = config.idle.map(Idle::new);
        Self {
            map: DashMap::with_hasher(SeedableRandomState::with_seed(config.seed, shared_seed())),
            is_tracked: AtomicBool::new(config.bounds.is_bounded()),
            policy: Mutex::new(Policy::new(config.bounds)),
            wheel: Mutex::new(Wheel::new(idle)),
            next_expiry: AtomicU64::new(NEVER),
            idle,
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
            Some((entry, _)) if self.is_used_if_live(entry) => {
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
        self.look_up(key, |entry| self.is_used_if_live(entry))
    }

    /// The entry of `key`, kept alive by its `Arc`, for one who does not read it;
    /// counts nothing.
    ///
    /// **Locking behaviour:** a shard's read lock.
    pub fn peek(&self, key: &[u8]) -> Option<Arc<Entry<V>>> {
        self.look_up(key, |entry| {
            !self.is_timed(entry) || !self.is_over(entry, self.clock.now())
        })
    }

    /// Takes a lease on `key`, for a loader that is about to read its source. Others may
    /// hold one, too: the first write voids them all.
    ///
    /// **Locking behaviour:** the leases' lock.
    pub fn take_lease(&self, key: &[u8]) -> LeaseId {
        let id = self.next_lease();
        self.take_lease_as(key, id);
        id
    }

    /// The number for a lease that is about to be taken with [`Cache::take_lease_as`].
    ///
    /// **Locking behaviour:** none.
    pub fn next_lease(&self) -> LeaseId {
        self.leases.next_id()
    }

    /// [`Cache::take_lease`] under a number that the caller has from [`Cache::next_lease`]:
    /// one who may be interrupted before an answer arrives knows what to give back.
    ///
    /// **Locking behaviour:** the leases' lock.
    pub fn take_lease_as(&self, key: &[u8], lease: LeaseId) {
        let _inside = GATE.enter();
        self.leases.take(key, lease);
    }

    /// Gives back a lease that was not used in a write: whether it was still held.
    ///
    /// **Locking behaviour:** the leases' lock.
    pub fn give_back_lease(&self, key: &[u8], lease: LeaseId) -> bool {
        let _inside = GATE.enter();
        self.leases.give_back(key, lease)
    }

    /// A tag that no write of this process had, for one that is not stored.
    pub fn new_etag(&self) -> Etag {
        let _inside = GATE.enter();
        self.etags.next(&GATE)
    }

    fn look_up(
        &self,
        key: &[u8],
        is_live: impl FnOnce(&Entry<V>) -> bool,
    ) -> Option<Arc<Entry<V>>> {
        let _inside = GATE.enter();
        let hash = self.hash(key);
        let shard = self.map.shards()[self.shard_of(hash)].read();
        let (entry, _) = shard.get(hash, |(entry, _)| entry.key() == key)?;
        is_live(entry).then(|| Arc::clone(entry))
    }

    /// Whether an entry is live: if so that was a use of it. Asks the clock only where
    /// the answer matters.
    #[inline]
    fn is_used_if_live(&self, entry: &Entry<V>) -> bool {
        if let Some(idle) = self.idle {
            let now = self.clock.now();
            let is_live = !self.is_over(entry, now);
            if is_live {
                entry.place.uses.increment_at(idle.moment(now));
            }
            return is_live;
        }
        if entry.expires() && self.clock.has_reached(entry.deadline()) {
            return false;
        }
        if self.is_tracked.load(Ordering::Relaxed) {
            entry.place.uses.increment();
        }
        true
    }

    /// Whether an entry leaves by itself some time.
    #[inline]
    fn is_timed(&self, entry: &Entry<V>) -> bool {
        self.idle.is_some() || entry.expires()
    }

    /// Whether an entry's time is over.
    #[inline]
    fn is_over(&self, entry: &Entry<V>, now: Nanos) -> bool {
        let is_idle = |idle: Idle| idle.is_over(entry.place.uses.last(), now);
        entry.is_expired(now) || self.idle.is_some_and(is_idle)
    }

    /// For an entry that is used now.
    fn moment(&self, now: Nanos) -> Moment {
        self.idle.map_or(0, |idle| idle.moment(now))
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
}
