//! Writes and removals of one key.

use super::books::{Booked, Room};
use super::{Cache, Cause, Condition, Displaced, Lifetime, Removed, Unwritten, Write, Written};
use crate::clock::{NEVER, Nanos};
use crate::entry::{ByKey, Entry, HeapBytes, MAX_WEIGHT};
use crate::error::Refused;
use crate::gate::GATE;
use dashmap::SharedValue;
use std::sync::Arc;

impl<V: HeapBytes> Cache<V> {
    /// Writes `key` if the condition holds. Atomic: readers see the old entry or
    /// the new one. A value that is refused comes back with the reason. One whose lifetime
    /// is zero is as if it had been written and had expired at once.
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
        let is_over = write.lifetime == Lifetime::For(0);
        let room = if is_over {
            Room::None
        } else {
            self.make_room(key, hash, &write, now, &mut displaced)
        };
        let (entry, booked);
        {
            let mut shard = self.map.shards()[self.shard_of(hash)].write();
            let place = shard.get_mut(hash, |(entry, _)| entry.key() == key);
            let old = place.as_ref().map(|(entry, _)| &**entry);
            let live = old.filter(|old| !self.is_over(old, now));
            let admitted = self.admit(key, live.map(|live| &**live), &write.condition);
            let admitted = admitted.and_then(|()| room.admission());
            if let Err(why) = admitted.and_then(|()| in_time(is_over)) {
                self.give_back(room);
                let overtaken = match why {
                    Refused::TooHeavy | Refused::Expired => {
                        shard.remove_entry(hash, |(entry, _)| entry.key() == key)
                    }
                    _ => None,
                };
                if let Some((ByKey(old), _)) = overtaken {
                    self.strike_from_books(&old);
                    displaced.push(self.gone(old, Cause::Replaced, now));
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
                u32::try_from(write.weight).unwrap_or(MAX_WEIGHT),
                write.etag.unwrap_or_else(|| self.etags.next(&GATE)),
                write.as_of.unwrap_or(now),
                deadline,
                self.moment(now),
            ));
            if let Some((old, _)) = &place {
                entry.place.uses.put(old.place.uses.get());
                entry.place.uses.increment();
            }
            let old = if let Some(place) = place {
                Some(std::mem::replace(&mut place.0, ByKey(Arc::clone(&entry))).0)
            } else {
                let item = (ByKey(Arc::clone(&entry)), SharedValue::new(()));
                shard.insert(hash, item, |(entry, _)| self.hash(entry.key()));
                None
            };
            booked = self.enter_in_books(&entry, old.as_deref(), room, now);
            displaced.extend(old.map(|old| self.gone(old, Cause::Replaced, now)));
        }
        self.counters.sets.increment();
        Ok(self.written(entry, booked, now, displaced))
    }

    /// Puts another value in the place of an entry's, which means the same: nothing else
    /// about the entry changes, and nothing is counted. Refused if the entry is no longer
    /// there.
    ///
    /// **Locking behaviour:** as [`write`](Self::write).
    pub fn exchange(&self, old: &Arc<Entry<V>>, value: V) -> Result<Written<V>, V> {
        let _inside = GATE.enter();
        let now = self.clock.now();
        let hash = self.hash(old.key());
        let (entry, booked);
        {
            let mut shard = self.map.shards()[self.shard_of(hash)].write();
            let Some(place) = shard.get_mut(hash, |(entry, _)| Arc::ptr_eq(&entry.0, old)) else {
                return Err(value);
            };
            entry = Arc::new(old.with_value(value));
            place.0 = ByKey(Arc::clone(&entry));
            booked = self.enter_in_books(&entry, Some(old), Room::None, now);
        }
        Ok(self.written(entry, booked, now, Vec::new()))
    }

    /// Evicts what others' writes have left too much of. No lock is held.
    fn written(
        &self,
        entry: Arc<Entry<V>>,
        booked: Booked,
        now: Nanos,
        mut displaced: Vec<Displaced<V>>,
    ) -> Written<V> {
        if booked.has_surplus {
            self.evict_surplus(Some(&entry), now, &mut displaced);
        }
        Written {
            entry,
            displaced,
            earlier_deadline: booked.earlier_deadline,
        }
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
            .filter(|old| !self.is_over(old, now));
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

    /// Whether a write of `key`, whose live entry is given, may be done. If so
    /// the key's leases are used up. The shard's lock is held.
    fn admit(
        &self,
        key: &[u8],
        live: Option<&Entry<V>>,
        condition: &Condition,
    ) -> Result<(), Refused> {
        if let Condition::IfLeased(lease) = condition {
            return if self.leases.use_up(key, *lease) {
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

fn in_time(is_over: bool) -> Result<(), Refused> {
    if is_over {
        Err(Refused::Expired)
    } else {
        Ok(())
    }
}
