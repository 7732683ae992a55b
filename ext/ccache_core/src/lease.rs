//! Leases: what was loaded before a write must not be stored after it.
//!
//! Between a loader's read of its source and the store of its result, somebody
//! may change the source and `set` or `delete` the key; storing the result then
//! would bring the old data back. So a loader takes a lease on the key first, any
//! write of the key voids it, and only a lease still held may store (Nishtala et
//! al., "Scaling Memcache at Facebook", NSDI 2013).
//!
//! Loads of one key that run side by side each have a lease; the first one that stores
//! voids the others.
//!
//! A write pays one load of a counter while nobody loads anything.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The number of a lease, never given twice by the same cache.
pub type LeaseId = u64;

/// How many leases of one key may be held: a lease that nobody gives back must not make
/// the list grow.
const MOST: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: AtomicUsize,
    by_key: Mutex<HashMap<Box<[u8]>, Vec<LeaseId>>>,
    last: AtomicU64,
}

impl Leases {
    /// A number that no lease has had.
    pub(crate) fn next_id(&self) -> LeaseId {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes lease `id` of `key`, beside those that others have: of loads that run side by
    /// side, the first one to end stores, however late another one has begun.
    pub(crate) fn take(&self, key: &[u8], id: LeaseId) {
        let mut by_key = self.by_key.lock();
        match by_key.get_mut(key) {
            Some(ids) => {
                if ids.len() == MOST {
                    ids.remove(0);
                }
                ids.push(id);
            }
            None => drop(by_key.insert(key.into(), vec![id])),
        }
        self.held.store(by_key.len(), Ordering::SeqCst);
    }

    /// Gives a lease back; true if it was still held.
    pub(crate) fn give_back(&self, key: &[u8], id: LeaseId) -> bool {
        let mut by_key = self.by_key.lock();
        let Some(ids) = by_key.get_mut(key) else {
            return false;
        };
        let Some(place) = ids.iter().position(|&held| held == id) else {
            return false;
        };
        ids.remove(place);
        if ids.is_empty() {
            by_key.remove(key);
        }
        self.held.store(by_key.len(), Ordering::SeqCst);
        true
    }

    /// Uses a lease up for a write, which voids all others; true if it was still held.
    pub(crate) fn use_up(&self, key: &[u8], id: LeaseId) -> bool {
        let mut by_key = self.by_key.lock();
        let is_held = by_key.get(key).is_some_and(|ids| ids.contains(&id));
        if is_held {
            by_key.remove(key);
            self.held.store(by_key.len(), Ordering::SeqCst);
        }
        is_held
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Whether the lease `id` of `key` is held.
    pub(crate) fn holds(&self, key: &[u8], id: LeaseId) -> bool {
        let by_key = self.by_key.lock();
        by_key.get(key).is_some_and(|ids| ids.contains(&id))
    }

    /// Voids the leases of a key that is being written.
    #[inline]
    pub(crate) fn void(&self, key: &[u8]) {
        if self.held.load(Ordering::SeqCst) != 0 {
            let mut by_key = self.by_key.lock();
            by_key.remove(key);
            self.held.store(by_key.len(), Ordering::SeqCst);
        }
    }

    /// Voids all leases: everything is being cleared.
    pub(crate) fn void_all(&self) {
        let mut by_key = self.by_key.lock();
        *by_key = HashMap::new();
        self.held.store(0, Ordering::SeqCst);
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        let by_key = self.by_key.lock();
        assert_eq!(self.held.load(Ordering::SeqCst), by_key.len());
        assert!(by_key.values().all(|ids| {
            !ids.is_empty()
                && ids
                    .iter()
                    .all(|&id| id <= self.last.load(Ordering::Relaxed))
        }));
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn take(leases: &Leases, key: &[u8]) -> LeaseId {
        let id = leases.next_id();
        leases.take(key, id);
        id
    }

    #[test]
    fn a_write_voids_the_lease_of_its_key_alone() {
        let leases = Leases::default();
        let (a, b) = (take(&leases, b"a"), take(&leases, b"b"));
        leases.void(b"a");
        assert!(!leases.give_back(b"a", a));
        assert!(leases.give_back(b"b", b));
        assert!(!leases.give_back(b"b", b));
    }

    #[test]
    fn leases_of_one_key_stand_side_by_side_until_one_is_used() {
        let leases = Leases::default();
        let (old, new, last) = (
            take(&leases, b"a"),
            take(&leases, b"a"),
            take(&leases, b"a"),
        );
        assert!(leases.give_back(b"a", new));
        assert!(!leases.give_back(b"a", new));
        leases.validate();
        assert!(leases.use_up(b"a", old));
        assert!(!leases.use_up(b"a", last));
        assert!(!leases.give_back(b"a", last));
        assert_eq!(leases.held(), 0);
        leases.validate();
    }

    #[test]
    fn leases_that_nobody_gives_back_are_bounded() {
        let leases = Leases::default();
        let first = take(&leases, b"a");
        let last = (0..MOST).map(|_| take(&leases, b"a")).last();
        assert!(!leases.holds(b"a", first));
        assert!(last.is_some_and(|last| leases.use_up(b"a", last)));
        assert_eq!(leases.held(), 0);
    }

    #[test]
    fn clearing_voids_every_lease() {
        let leases = Leases::default();
        let id = take(&leases, b"a");
        leases.void_all();
        assert!(!leases.give_back(b"a", id));
    }
}
