//! Expiry without readers: a hierarchical timer wheel (Varghese and Lauck,
//! "Hashed and Hierarchical Timing Wheels", SOSP 1987).
//!
//! Four wheels of 64 slots; a tick of the first is 2^26 ns (67 ms), a tick of
//! each next one 64 times as long. A deadline goes into the slot of the wheel
//! that can still tell it from now; when a wheel has turned once, one slot of
//! the next is dealt out again. Adding, cancelling and firing are O(1) each. A
//! bitmap per wheel tells the next slot in use, so that whoever drives the wheel
//! can sleep until then. Deadlines beyond the last wheel (13 days) wait in its
//! farthest slot and are dealt out again.
//!
//! Reads do not depend on it: they compare the entry's deadline with the clock.

use crate::clock::{NEVER, Nanos};
use crate::entry::Entry;
use crate::idle::Idle;
use crate::linked_slab::LinkedSlab;
use std::sync::Arc;

const TICK_BITS: u32 = 26;
const SLOT_BITS: u32 = 6;
const SLOTS: u64 = 1 << SLOT_BITS;
const WHEELS: usize = 4;
const REACH: u64 = 1 << (SLOT_BITS * WHEELS as u32);

/// The entries that expire, by when.
#[derive(Debug)]
pub(crate) struct Wheel<V> {
    entries: LinkedSlab<Arc<Entry<V>>>,
    in_use: [u64; WHEELS],
    /// How long entries may be idle, if that is bounded.
    idle: Option<Idle>,
    tick: u64,
    /// Whether slots of the upper wheels that came up at this tick may still hold
    /// entries: a limit was reached.
    deals_out: bool,
}

impl<V> Wheel<V> {
    pub(crate) fn new(idle: Option<Idle>) -> Self {
        Self {
            entries: LinkedSlab::new(WHEELS * SLOTS as usize),
            in_use: [0; WHEELS],
            idle,
            tick: 0,
            deals_out: false,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn insert(&mut self, entry: &Arc<Entry<V>>, now: Nanos) {
        if self.entries.len() == 0 {
            // Nothing waits: skip the ticks that nobody needed.
            self.tick = self.tick.max(tick_of(now));
        }
        self.place(Arc::clone(entry), now);
    }

    pub(crate) fn remove(&mut self, entry: &Entry<V>) {
        if let Some(node) = entry.place.in_wheel.take() {
            let list = self.entries.list_of(node);
            self.entries.unlink(node);
            self.note_if_empty(list);
        }
    }

    /// Turns the wheel towards `now` and takes out what has expired; entries that were
    /// used meanwhile go round again. Stops after
    /// `limit` entries were touched; [`wake_at`](Self::wake_at) is not after `now`
    /// as long as there is more to do.
    pub(crate) fn expire(&mut self, now: Nanos, limit: usize) -> Vec<Arc<Entry<V>>> {
        let until = tick_of(now);
        let mut expired = Vec::new();
        let mut left = limit;
        loop {
            for wheel in (1..WHEELS).rev() {
                if self.deals_out && self.tick.trailing_zeros() >= SLOT_BITS * wheel as u32 {
                    left -= self.empty_slot(wheel, left, |wheel, entry| wheel.place(entry, now));
                }
            }
            self.deals_out &= left == 0;
            left -= self.empty_slot(0, left, |wheel, entry| {
                if wheel.deadline(&entry, now) > now {
                    wheel.place(entry, now);
                } else {
                    expired.push(entry);
                }
            });
            if left == 0 || self.tick >= until {
                return expired;
            }
            // Jump to the next tick at which a slot in use comes up.
            self.tick = self.next_tick().unwrap_or(until).min(until);
            self.deals_out = true;
        }
    }

    /// The earliest moment at which [`expire`](Self::expire) has work to do.
    pub(crate) fn wake_at(&self) -> Nanos {
        if self.deals_out || self.in_use[0] >> (self.tick % SLOTS) & 1 == 1 {
            return self.tick << TICK_BITS; // what a limit left there
        }
        self.next_tick().map_or(NEVER, |tick| tick << TICK_BITS)
    }

    /// Of its lifetime, or of its being idle if that is earlier.
    fn deadline(&self, entry: &Entry<V>, now: Nanos) -> Nanos {
        let idle = |idle: Idle| match entry.place.uses.last() {
            used if idle.is_over(used, now) => 0,
            used => idle.deadline(used, now),
        };
        entry.deadline().min(self.idle.map_or(NEVER, idle))
    }

    /// Finds a slot: the tick *after* the deadline, so that what it fires has expired.
    fn place(&mut self, entry: Arc<Entry<V>>, now: Nanos) {
        let due = tick_of(self.deadline(&entry, now)) + 1;
        let due = due.clamp(self.tick + 1, self.tick + REACH - 1);
        let wheel = (0..WHEELS)
            .find(|&wheel| due >> shift(wheel + 1) == self.tick >> shift(wheel + 1))
            .unwrap_or(WHEELS - 1);
        let slot = (due >> shift(wheel)) % SLOTS;
        self.in_use[wheel] |= 1 << slot;
        let list = wheel * SLOTS as usize + slot as usize;
        let node = self.entries.append(list, Arc::clone(&entry));
        entry.place.in_wheel.put(node);
    }

    /// Takes up to `limit` entries out of the slot that a wheel has come to: how
    /// many. (That slot never holds later ones then: `place` looks ahead.)
    fn empty_slot(
        &mut self,
        wheel: usize,
        limit: usize,
        mut take: impl FnMut(&mut Self, Arc<Entry<V>>),
    ) -> usize {
        let slot = (self.tick >> shift(wheel)) % SLOTS;
        let list = wheel * SLOTS as usize + slot as usize;
        for taken in 0..limit {
            let first = self.entries.first(list);
            let Some(entry) = first.and_then(|node| self.entries.unlink(node)) else {
                return taken;
            };
            entry.place.in_wheel.take();
            self.note_if_empty(list);
            take(self, entry);
        }
        limit
    }

    fn note_if_empty(&mut self, list: usize) {
        if self.entries.is_empty(list) {
            self.in_use[list / SLOTS as usize] &= !(1 << (list as u64 % SLOTS));
        }
    }

    /// The next tick at which a slot in use comes up, in any wheel.
    fn next_tick(&self) -> Option<u64> {
        (0..WHEELS)
            .filter(|&wheel| self.in_use[wheel] != 0)
            .map(|wheel| {
                let position = self.tick >> shift(wheel);
                // Slot 0 of the rotated map is the one after the present position.
                let ahead = self.in_use[wheel].rotate_right(((position + 1) % SLOTS) as u32);
                (position + 1 + u64::from(ahead.trailing_zeros())) << shift(wheel)
            })
            .min()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn holds(&self, entry: &Arc<Entry<V>>) -> bool {
        let node = entry.place.in_wheel.get();
        let held = node.and_then(|node| self.entries.get(node));
        held.is_some_and(|held| Arc::ptr_eq(held, entry))
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        self.entries.validate();
        for list in 0..WHEELS * SLOTS as usize {
            let noted = self.in_use[list / SLOTS as usize] >> (list as u64 % SLOTS) & 1 == 1;
            assert_eq!(noted, !self.entries.is_empty(list), "list {list}");
        }
    }
}

fn tick_of(time: Nanos) -> u64 {
    time >> TICK_BITS
}

fn shift(wheel: usize) -> u32 {
    SLOT_BITS * wheel as u32
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::etag::Etag;
    use proptest::prelude::*;

    const TICK: Nanos = 1 << TICK_BITS;
    const SECOND: Nanos = 1_000_000_000;

    fn entry(validated: Nanos, deadline: Nanos) -> Arc<Entry<()>> {
        let etag = Etag::parse(b"tag").unwrap();
        Arc::new(Entry::new(b"key", (), 0, etag, validated, deadline, 0))
    }

    #[test]
    fn an_entry_fires_within_two_ticks_of_its_deadline_and_not_before() {
        for deadline in [
            1,
            SECOND,
            5 * SECOND,
            400 * SECOND,
            100_000 * SECOND,
            2_000_000 * SECOND,
        ] {
            let mut wheel = Wheel::new(None);
            wheel.insert(&entry(0, deadline), 0);
            assert_eq!(
                wheel.expire(deadline - 1, usize::MAX).len(),
                0,
                "{deadline} fired early"
            );
            wheel.validate();
            assert_eq!(
                wheel.expire(deadline + 2 * TICK, usize::MAX).len(),
                1,
                "{deadline} did not fire"
            );
            wheel.validate();
            assert_eq!(wheel.wake_at(), NEVER);
        }
    }

    #[test]
    fn what_a_limit_leaves_fires_next_and_at_once() {
        let mut wheel = Wheel::new(None);
        let entries: Vec<_> = (0..10).map(|_| entry(0, SECOND)).collect();
        entries.iter().for_each(|entry| wheel.insert(entry, 0));
        let now = 2 * SECOND;
        assert_eq!(wheel.expire(now, 4).len(), 4);
        wheel.validate();
        assert!(wheel.wake_at() <= now);
        assert_eq!(wheel.expire(now, 4).len(), 4);
        assert_eq!(wheel.expire(now, 4).len(), 2);
        wheel.validate();
        assert_eq!(wheel.wake_at(), NEVER);
    }

    #[test]
    fn a_limit_also_bounds_what_is_dealt_out_to_lower_wheels() {
        let mut wheel = Wheel::new(None);
        let deadlines: Vec<_> = (0..100).map(|n| 400 * SECOND + n).collect();
        let entries: Vec<_> = deadlines.iter().map(|&at| entry(0, at)).collect();
        entries.iter().for_each(|entry| wheel.insert(entry, 0));
        let now = 500 * SECOND;
        let (mut fired, mut calls) = (0, 0);
        while wheel.wake_at() <= now {
            let expired = wheel.expire(now, 10);
            assert!(expired.len() <= 10);
            wheel.validate();
            fired += expired.len();
            calls += 1;
        }
        assert_eq!(fired, 100);
        // Each entry was dealt out at least once before it fired.
        assert!(
            calls >= 20,
            "{calls} calls touched more than 10 entries each"
        );
    }

    #[test]
    fn a_removed_entry_never_fires() {
        let mut wheel = Wheel::new(None);
        let entry = entry(0, SECOND);
        wheel.insert(&entry, 0);
        wheel.remove(&entry);
        wheel.remove(&entry);
        wheel.validate();
        assert_eq!((wheel.len(), wheel.wake_at()), (0, NEVER));
        assert!(wheel.expire(10 * SECOND, usize::MAX).is_empty());
    }

    proptest! {
        #[test]
        fn whoever_sleeps_until_wake_at_sees_every_entry_fire_in_time(
            lifetimes in prop::collection::vec(1_u64..=1 << 48, 1..40),
            removed in 0_usize..40,
        ) {
            let mut wheel = Wheel::new(None);
            let mut now = 0;
            let entries: Vec<_> = lifetimes.iter().map(|&life| entry(now, now + life)).collect();
            entries.iter().for_each(|entry| wheel.insert(entry, 0));
            if let Some(entry) = entries.get(removed) {
                wheel.remove(entry);
            }
            let mut left = wheel.len();
            while left > 0 {
                prop_assert!(wheel.wake_at() > now && wheel.wake_at() != NEVER);
                now = wheel.wake_at();
                for fired in wheel.expire(now, usize::MAX) {
                    prop_assert!(fired.is_expired(now));
                    prop_assert!(now - fired.deadline() <= 2 * TICK);
                    left -= 1;
                }
                wheel.validate();
            }
        }
    }
}
