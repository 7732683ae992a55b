//! Which keys left lately, and how long ago: eight bytes for each.
//!
//! A ghost is 32 bits of its key's seeded hash, the part that it left, and the
//! moment. Moments are counted for each part by what has left it since, as a share of
//! the cache: two ghosts of age 0.1 have seen a tenth of a cache leave behind them.
//! So a ghost's age says how much larger its part would have had to be to keep it,
//! which ARC (Megiddo and Modha, FAST 2003) tells from the length of its ghost lists.
//!
//! Ghosts stand in buckets of eight, one cache line. Nothing is linked or removed:
//! a ghost that is too old counts for nothing, and makes room for the next. In a full
//! bucket that is the one whose time is nearest to its end.

/// The part of the cache that an entry left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Window,
    Main,
}

/// What is known of a key that came back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ghost {
    pub(crate) left: Part,
    /// How much has left that part since, as a share of the cache.
    pub(crate) age: f64,
}

/// 32 bits fingerprint, one bit part, 31 bits moment. Zero for none: no moment is 0.
type Slot = u64;

const SLOTS: usize = 8;

/// A hundred ghosts and more for any cache, however small.
const FEWEST_BUCKETS: usize = 16;

/// Moments count millionths of the cache, as near as bits go.
const UNIT: f64 = (1 << 20) as f64;
const MOMENTS: u64 = (1 << 31) - 1;

/// The ghosts of both parts.
#[derive(Debug)]
pub(crate) struct Ghosts {
    buckets: Vec<[Slot; SLOTS]>,
    /// What has left each part so far, in caches.
    left: [f64; 2],
    /// The age at which ghosts of each part count no more.
    oldest: [f64; 2],
}

impl Ghosts {
    /// Ghosts count until they are as old as is given for each part.
    pub(crate) fn new(oldest: [f64; 2]) -> Self {
        Self {
            buckets: Vec::new(),
            left: [0.0; 2],
            oldest,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.buckets.capacity() * size_of::<[Slot; SLOTS]>()
    }

    /// Makes room for a cache of so many entries: ten bytes for each.
    pub(crate) fn fit(&mut self, entries: usize) {
        let fitting = (entries + entries / 4).div_ceil(SLOTS).max(FEWEST_BUCKETS);
        // The cache's size moves to and fro if its entries' weights differ.
        if fitting <= self.buckets.len() {
            return;
        }
        let fresh = vec![[0; SLOTS]; fitting];
        let old = std::mem::replace(&mut self.buckets, fresh);
        for slot in old.into_iter().flatten() {
            if slot != 0 && self.time_left(slot) > 0.0 {
                self.place(slot);
            }
        }
    }

    /// Forgets all ghosts, if they take more than the least memory.
    pub(crate) fn shrink(&mut self) {
        if self.buckets.len() > FEWEST_BUCKETS {
            *self = Self::new(self.oldest);
        }
    }

    /// A key leaves `part`, and with it so large a share of the cache.
    pub(crate) fn add(&mut self, hash: u64, part: Part, share: f64) {
        self.fit(0);
        self.left[part as usize] += share;
        let moment = self.moment(part);
        self.place(fingerprint(hash) << 32 | (part as u64) << 31 | moment);
    }

    /// Takes the ghost of a key that came back.
    pub(crate) fn take(&mut self, hash: u64) -> Option<Ghost> {
        if self.buckets.is_empty() {
            return None;
        }
        let bucket = self.bucket(fingerprint(hash));
        let mut taken = None;
        for at in 0..SLOTS {
            let slot = self.buckets[bucket][at];
            if slot != 0 && slot >> 32 == fingerprint(hash) {
                self.buckets[bucket][at] = 0;
                let (left, age) = (part(slot), self.age(slot));
                taken = (age < self.oldest[left as usize]).then_some(Ghost { left, age });
            }
        }
        taken
    }

    fn place(&mut self, slot: Slot) {
        let bucket = self.bucket(slot >> 32);
        let time_left = |&other: &Slot| match other {
            // A key has one ghost.
            other if other >> 32 == slot >> 32 => f64::NEG_INFINITY,
            0 => f64::MIN,
            other => self.time_left(other),
        };
        let mut at = 0;
        let mut least = f64::INFINITY;
        for (index, left) in self.buckets[bucket].iter().map(time_left).enumerate() {
            if left < least {
                (at, least) = (index, left);
            }
        }
        self.buckets[bucket][at] = slot;
    }

    /// How much of a ghost's time is left, as a share of it; none if not above 0.
    fn time_left(&self, slot: Slot) -> f64 {
        1.0 - self.age(slot) / self.oldest[part(slot) as usize]
    }

    #[allow(clippy::cast_precision_loss)] // 31 bits
    fn age(&self, slot: Slot) -> f64 {
        let since = self.moment(part(slot)).wrapping_sub(slot) & MOMENTS;
        since as f64 / UNIT
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn moment(&self, part: Part) -> u64 {
        let moment = (self.left[part as usize] * UNIT) as u64 & MOMENTS;
        moment.max(1)
    }

    #[allow(clippy::cast_possible_truncation)] // the product's upper half is an index
    fn bucket(&self, fingerprint: u64) -> usize {
        ((fingerprint * self.buckets.len() as u64) >> 32) as usize
    }

    /// How many ghosts there are, those included that are too old.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let slots = self.buckets.iter().flatten();
        slots.filter(|&&slot| slot != 0).count()
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        let mut known = std::collections::HashSet::new();
        for (bucket, slots) in self.buckets.iter().enumerate() {
            for &slot in slots.iter().filter(|&&slot| slot != 0) {
                assert_eq!(self.bucket(slot >> 32), bucket);
                assert!(known.insert(slot >> 32), "a key has two ghosts");
            }
        }
    }
}

fn part(slot: Slot) -> Part {
    match slot >> 31 & 1 {
        0 => Part::Window,
        _ => Part::Main,
    }
}

fn fingerprint(hash: u64) -> u64 {
    hash >> 32
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn ghosts() -> Ghosts {
        Ghosts::new([1.0, 0.1])
    }

    /// Spreads small numbers over 64 bits.
    fn hash(key: u64) -> u64 {
        key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_ghost_tells_what_has_left_its_part_since() {
        let mut ghosts = ghosts();
        ghosts.add(hash(1), Part::Window, 0.125);
        ghosts.add(hash(2), Part::Main, 0.5);
        ghosts.add(hash(3), Part::Window, 0.25);
        let ghost = ghosts.take(hash(1)).unwrap();
        assert_eq!((ghost.left, ghost.age), (Part::Window, 0.25));
        assert_eq!(ghosts.take(hash(1)), None);
        assert_eq!(ghosts.take(hash(2)).unwrap().left, Part::Main);
    }

    #[test]
    fn a_ghost_that_is_too_old_is_none() {
        let mut ghosts = ghosts();
        ghosts.add(hash(1), Part::Window, 0.5);
        ghosts.add(hash(2), Part::Main, 0.5);
        ghosts.add(hash(3), Part::Main, 0.11);
        ghosts.add(hash(4), Part::Window, 1.0);
        assert_eq!(ghosts.take(hash(1)), None);
        assert_eq!(ghosts.take(hash(2)), None);
    }

    #[test]
    fn a_key_has_its_latest_ghost_alone() {
        let mut ghosts = ghosts();
        ghosts.add(hash(1), Part::Window, 0.01);
        ghosts.add(hash(1), Part::Main, 0.01);
        ghosts.validate();
        assert_eq!(ghosts.take(hash(1)).unwrap().left, Part::Main);
        assert_eq!(ghosts.take(hash(1)), None);
    }

    #[test]
    fn ghosts_are_bounded_and_most_of_the_last_cache_full_are_known() {
        let mut ghosts = ghosts();
        ghosts.fit(1000);
        let bytes = ghosts.bytes();
        (0..10_000).for_each(|key| ghosts.add(hash(key), Part::Window, 0.001));
        ghosts.validate();
        assert!(bytes <= 1000 * 10 + 64 && ghosts.bytes() == bytes);
        let known = (9_000..10_000).filter(|&key| ghosts.take(hash(key)).is_some());
        assert!(known.count() > 850);
    }

    #[test]
    fn ghosts_move_into_a_larger_table() {
        let mut ghosts = ghosts();
        (0..60).for_each(|key| ghosts.add(hash(key), Part::Window, 0.01));
        ghosts.fit(10_000);
        ghosts.validate();
        assert_eq!(ghosts.len(), 60);
        assert!((0..60).all(|key| ghosts.take(hash(key)).is_some()));
    }

    proptest! {
        #[test]
        fn ghosts_are_those_of_a_naive_model(
            left in prop::collection::vec((0..60_u64, any::<bool>(), 0.0..0.2), 1..200),
        ) {
            let mut ghosts = ghosts();
            let mut model = HashMap::new();
            let mut moments = [0.0; 2];
            for (key, is_main, share) in left {
                let part = if is_main { Part::Main } else { Part::Window };
                moments[part as usize] += share;
                ghosts.add(hash(key), part, share);
                model.insert(key, (part, moments[part as usize]));
                ghosts.validate();
            }
            for (key, (part, moment)) in model {
                let age = moments[part as usize] - moment;
                // A full bucket may have lost it, but nothing else is ever told.
                if let Some(ghost) = ghosts.take(hash(key)) {
                    prop_assert_eq!(ghost.left, part);
                    prop_assert!((ghost.age - age).abs() < 0.001);
                }
            }
        }
    }
}
