//! All invariants of a cache at rest, for the tests.

use super::{Cache, Cause, Displaced};
use crate::clock::Nanos;
use crate::entry::{Entry, HeapBytes};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl<V: HeapBytes> Cache<V> {
    /// [`clear`](Self::clear), with what it disposes of.
    pub(crate) fn clear_all(&self) -> Vec<Displaced<V>> {
        let mut cleared = Vec::new();
        let count = self.clear(|entry| cleared.push(entry));
        let is_live = |gone: &&Displaced<V>| gone.cause == Cause::Cleared;
        assert_eq!(count, cleared.iter().filter(is_live).count());
        cleared
    }

    /// [`expire_due`](Self::expire_due), with what it disposes of.
    pub(crate) fn expire_all(&self) -> (Vec<Displaced<V>>, Nanos) {
        let mut expired = Vec::new();
        let next = self.expire_due(|entry| expired.push(entry));
        (expired, next)
    }

    /// Checks that the books say what the map says. No thread may be inside.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn validate(&self) {
        let entries: Vec<_> = self.map.iter().map(|item| Arc::clone(item.key())).collect();
        assert_eq!(self.len(), entries.len());
        // Between two batches of a `clear`, what it took out is still in the other books.
        let dead: Vec<_> = self
            .graveyard
            .lock()
            .iter()
            .map(|gone| Arc::clone(&gone.entry))
            .collect();
        assert_eq!(
            self.entry_bytes(),
            entries
                .iter()
                .chain(&*dead)
                .map(|entry| entry.bytes())
                .sum()
        );
        for entry in &entries {
            assert!(
                self.is_found(entry),
                "another entry has the key of {:?}",
                entry.key()
            );
        }

        let policy = self.policy.lock();
        policy.validate();
        let is_tracked = self.is_tracked.load(Ordering::Relaxed);
        let tracked = if is_tracked { entries.len() } else { 0 };
        let dead_in_policy = dead.iter().filter(|entry| policy.holds(entry)).count();
        assert_eq!(policy.load().entries, tracked + dead_in_policy);
        assert!(policy.has_nothing_reserved());
        assert!(!is_tracked || policy.bounds().allow(policy.load()));
        let mut tracked = entries.iter().take(tracked);
        assert!(tracked.all(|entry| policy.holds(entry)));

        let wheel = self.wheel.lock();
        wheel.validate();
        let expiring: Vec<_> = entries
            .iter()
            .filter(|entry| self.is_timed(entry))
            .collect();
        let dead_in_wheel = dead.iter().filter(|entry| wheel.holds(entry)).count();
        assert_eq!(wheel.len(), expiring.len() + dead_in_wheel);
        assert!(expiring.iter().all(|entry| wheel.holds(entry)));
        assert_eq!(self.next_expiry.load(Ordering::Acquire), wheel.wake_at());

        self.leases.validate();
    }

    fn is_found(&self, entry: &Arc<Entry<V>>) -> bool {
        let hash = self.hash(entry.key());
        let shard = self.map.shards()[self.shard_of(hash)].read();
        shard
            .get(hash, |(present, _)| present.key() == entry.key())
            .is_some_and(|(present, _)| Arc::ptr_eq(present, entry))
    }
}
