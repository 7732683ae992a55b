//! The bookkeeping beside the map: who is in it, for how long, and who has to go.

use super::{Cache, Cause, Condition, Displaced, Write};
use crate::clock::Nanos;
use crate::entry::{Entry, HeapBytes};
use crate::error::Refused;
use crate::expiry::Wheel;
use crate::gate::GATE;
use crate::policy::Load;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What was reserved for a write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Room {
    /// Nothing, for there is no bound, or the write will be refused.
    None,
    /// This much.
    Made(Load),
    /// Nothing: the entry alone is heavier than the bound.
    TooSmall,
}

/// What follows from a write.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Booked {
    /// The wheel turns earlier for it.
    pub(super) earlier_deadline: bool,
    /// The bounds do not hold: others were as quick.
    pub(super) has_surplus: bool,
}

impl Room {
    pub(super) fn admission(self) -> Result<(), Refused> {
        match self {
            Self::TooSmall => Err(Refused::TooHeavy),
            Self::None | Self::Made(_) => Ok(()),
        }
    }
}

impl<V: HeapBytes> Cache<V> {
    /// Makes the policy know what came before there was a bound. Whoever locks a shard
    /// after this has looked at it enters what it writes.
    pub(super) fn track_all(&self) {
        let known: Vec<_> = {
            let _inside = GATE.enter();
            self.map.iter().map(|item| Arc::clone(item.key())).collect()
        };
        for batch in known.chunks(super::BATCH) {
            let _inside = GATE.enter();
            batch.iter().for_each(|entry| self.track(entry));
        }
    }

    fn track(&self, entry: &Arc<Entry<V>>) {
        let hash = self.hash(entry.key());
        let shard = self.map.shards()[self.shard_of(hash)].read();
        let present = shard.get(hash, |(present, _)| Arc::ptr_eq(&present.0, entry));
        let mut policy = self.policy.lock();
        if present.is_some() && !policy.holds(entry) {
            policy.insert(entry, |entry| self.hash(entry.key()));
        }
    }

    /// Makes room for a write, unless it will be refused anyway. No lock is held.
    pub(super) fn make_room(
        &self,
        key: &[u8],
        hash: u64,
        write: &Write,
        now: Nanos,
        displaced: &mut Vec<Displaced<V>>,
    ) -> Room {
        if !self.is_tracked.load(Ordering::Relaxed) {
            return Room::None;
        }
        if let Condition::IfLeased(lease) = write.condition
            && !self.leases.holds(key, lease)
        {
            return Room::None;
        }
        let old = {
            let shard = self.map.shards()[self.shard_of(hash)].read();
            let old = shard.get(hash, |(entry, _)| entry.key() == key);
            let live = old.filter(|(old, _)| !self.is_over(old, now));
            if !write.condition.holds_for(live.map(|(live, _)| &***live)) {
                return Room::None;
            }
            old.map(|(old, _)| Arc::clone(old))
        };
        let load = old.as_ref().map_or(Load::one(write.weight), |old| Load {
            entries: 0,
            bytes: write.weight.saturating_sub(old.weight()),
        });
        let has_surplus = {
            let mut policy = self.policy.lock();
            if !policy.bounds().admit(write.weight) {
                return Room::TooSmall;
            }
            policy.reserve(load);
            policy.has_surplus()
        };
        if has_surplus {
            self.evict_surplus(old.as_deref(), now, displaced);
        }
        Room::Made(load)
    }

    /// Gives room back that a write did not use.
    pub(super) fn give_back(&self, room: Room) {
        if let Room::Made(load) = room {
            self.policy.lock().release(load);
        }
    }

    /// Books `entry` in the place of `old`. The shard's lock is held, so that the
    /// books follow the map's order.
    pub(super) fn enter_in_books(
        &self,
        entry: &Arc<Entry<V>>,
        old: Option<&Entry<V>>,
        room: Room,
        now: Nanos,
    ) -> Booked {
        let mut booked = Booked::default();
        self.entry_bytes.fetch_add(entry.bytes(), Ordering::Relaxed);
        match old {
            Some(old) => _ = self.entry_bytes.fetch_sub(old.bytes(), Ordering::Relaxed),
            None => _ = self.len.fetch_add(1, Ordering::Relaxed),
        }
        if self.is_tracked.load(Ordering::Relaxed) {
            let mut policy = self.policy.lock();
            if let Room::Made(load) = room {
                policy.release(load);
            }
            let hash = |entry: &Entry<V>| self.hash(entry.key());
            match old {
                Some(old) => policy.replace(old, entry, hash),
                None => policy.insert(entry, hash),
            }
            booked.has_surplus = policy.has_surplus();
        }
        let old = old.filter(|old| self.is_timed(old));
        if old.is_none() && !self.is_timed(entry) {
            return booked;
        }
        let mut wheel = self.wheel.lock();
        if let Some(old) = old {
            wheel.remove(old);
        }
        if self.is_timed(entry) {
            wheel.insert(entry, now);
        }
        let before = self.next_expiry();
        booked.earlier_deadline = self.note_next_expiry(&wheel) < before;
        booked
    }

    /// Takes an entry that left the map out of the books: once per entry, by whoever
    /// took it out of the map.
    pub(super) fn strike_from_books(&self, entry: &Entry<V>) {
        self.len.fetch_sub(1, Ordering::Relaxed);
        self.strike_uncounted(entry);
    }

    /// The same for one that is not counted any more.
    pub(super) fn strike_uncounted(&self, entry: &Entry<V>) {
        self.entry_bytes.fetch_sub(entry.bytes(), Ordering::Relaxed);
        // One that the policy gave up, or never knew, is not in it again.
        if entry.place.in_policy.get().is_some() {
            self.policy.lock().remove(entry);
        }
        if self.is_timed(entry) {
            let mut wheel = self.wheel.lock();
            wheel.remove(entry);
            self.note_next_expiry(&wheel);
        }
    }

    pub(super) fn note_next_expiry(&self, wheel: &Wheel<V>) -> Nanos {
        let next = wheel.wake_at();
        self.next_expiry.store(next, Ordering::Release);
        next
    }

    /// What leaves the cache for that reason; if its time was over before, that is why it
    /// leaves.
    pub(super) fn displaced(&self, entry: Arc<Entry<V>>, why: Cause, now: Nanos) -> Displaced<V> {
        let is_over = self.is_over(&entry, now);
        let cause = if is_over { Cause::Expired } else { why };
        Displaced { entry, cause }
    }

    /// The same, counted.
    pub(super) fn gone(&self, entry: Arc<Entry<V>>, why: Cause, now: Nanos) -> Displaced<V> {
        let gone = self.displaced(entry, why, now);
        self.count_departure(gone.cause);
        gone
    }

    pub(super) fn count_departure(&self, cause: Cause) {
        let counter = match cause {
            Cause::Size => &self.counters.evictions,
            Cause::Expired => &self.counters.expirations,
            Cause::Replaced => &self.counters.replacements,
            Cause::Deleted => &self.counters.deletes,
            Cause::Cleared => &self.counters.cleared,
        };
        counter.increment();
    }

    pub(super) fn count_refusal(&self, why: Refused) {
        match why {
            Refused::TooHeavy => self.counters.refusals.increment(),
            Refused::Expired => self.counters.sets.increment(),
            Refused::PreconditionFailed | Refused::LeaseVoid => {}
        }
    }

    /// Evicts until the bounds hold, but not `spared`. No lock is held.
    pub(super) fn evict_surplus(
        &self,
        spared: Option<&Entry<V>>,
        now: Nanos,
        evicted: &mut Vec<Displaced<V>>,
    ) {
        while self.evict_one(spared, now, evicted) {}
    }

    /// Evicts an entry, if there is a surplus: whether there is more.
    pub(super) fn evict_one(
        &self,
        spared: Option<&Entry<V>>,
        now: Nanos,
        evicted: &mut Vec<Displaced<V>>,
    ) -> bool {
        let (victim, has_surplus) = {
            let mut policy = self.policy.lock();
            let victim = policy.evict_surplus(spared, |entry| self.hash(entry.key()));
            (victim, policy.has_surplus())
        };
        let Some(entry) = victim else {
            return false;
        };
        if self.remove_this(&entry) {
            evicted.push(self.gone(entry, Cause::Size, now));
        }
        has_surplus
    }

    /// Removes this very entry, unless its key holds another one by now.
    pub(super) fn remove_this(&self, entry: &Arc<Entry<V>>) -> bool {
        let hash = self.hash(entry.key());
        let mut shard = self.map.shards()[self.shard_of(hash)].write();
        let removed = shard
            .remove_entry(hash, |(present, _)| Arc::ptr_eq(&present.0, entry))
            .is_some();
        if removed {
            self.strike_from_books(entry);
        }
        removed
    }
}
