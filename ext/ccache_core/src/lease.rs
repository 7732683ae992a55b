//! Leases: what was loaded before a write must not be stored after it.
//!
//! Between a loader's read of its source and the store of its result, somebody
//! may change the source and `set` or `delete` the key; storing the result then
//! would bring the old data back. So a loader takes a lease on the key first, any
//! write of the key voids it, and only a lease still held may store (Nishtala et
//! al., "Scaling Memcache at Facebook", NSDI 2013).
//!
//! A write pays one load of a counter while nobody loads anything.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The number of a lease, never given twice by the same cache.
pub type LeaseId = u64;

#[derive(Debug, Default)]
pub(crate) struct Leases {
    held: AtomicUsize,
    by_key: Mutex<HashMap<Box<[u8]>, LeaseId>>,
    last: AtomicU64,
}

impl Leases {
    /// Takes the lease of `key`; one that was held before is void.
    pub(crate) fn take(&self, key: &[u8]) -> LeaseId {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let mut by_key = self.by_key.lock();
        by_key.insert(key.into(), id);
        self.held.store(by_key.len(), Ordering::SeqCst);
        id
    }

    /// Gives a lease back; true if it was still held.
    pub(crate) fn give_back(&self, key: &[u8], id: LeaseId) -> bool {
        let mut by_key = self.by_key.lock();
        let held = by_key.get(key) == Some(&id);
        if held {
            by_key.remove(key);
            self.held.store(by_key.len(), Ordering::SeqCst);
        }
        held
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }

    /// Whether the lease `id` of `key` is held.
    pub(crate) fn holds(&self, key: &[u8], id: LeaseId) -> bool {
        self.by_key.lock().get(key) == Some(&id)
    }

    /// Voids the lease of a key that is being written.
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
        assert!(
            by_key
                .values()
                .all(|&id| id <= self.last.load(Ordering::Relaxed))
        );
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_write_voids_the_lease_of_its_key_alone() {
        let leases = Leases::default();
        let (a, b) = (leases.take(b"a"), leases.take(b"b"));
        leases.void(b"a");
        assert!(!leases.give_back(b"a", a));
        assert!(leases.give_back(b"b", b));
        assert!(!leases.give_back(b"b", b));
    }

    #[test]
    fn the_newest_lease_of_a_key_is_the_one_that_counts() {
        let leases = Leases::default();
        let (old, new) = (leases.take(b"a"), leases.take(b"a"));
        assert!(!leases.give_back(b"a", old));
        assert!(leases.give_back(b"a", new));
    }

    #[test]
    fn clearing_voids_every_lease() {
        let leases = Leases::default();
        let id = leases.take(b"a");
        leases.void_all();
        assert!(!leases.give_back(b"a", id));
    }
}
