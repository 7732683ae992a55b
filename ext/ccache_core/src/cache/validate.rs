//! All invariants of a cache at rest, for the tests.

use super::Cache;
use crate::entry::{Entry, HeapBytes};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl<V: HeapBytes> Cache<V> {
    /// Checks that the books say what the map says. No thread may be inside.
    pub(crate) fn validate(&self) {
        let entries: Vec<_> = self.map.iter().map(|item| Arc::clone(item.key())).collect();
        assert_eq!(self.len(), entries.len());
        assert_eq!(self.entry_bytes(), entries.iter().map(|entry| entry.bytes()).sum());
        for entry in &entries {
            assert!(self.is_found(entry), "another entry has the key of {:?}", entry.key());
        }

        let policy = self.policy.lock();
        policy.validate();
        let bounded = self.max_entries.map_or(0, |_| entries.len());
        assert_eq!(policy.len(), bounded);
        assert!(self.max_entries.map_or(usize::MAX, NonZeroUsize::get) >= bounded);
        assert!(entries.iter().take(bounded).all(|entry| policy.holds(entry)));

        let wheel = self.wheel.lock();
        wheel.validate();
        let expiring: Vec<_> = entries.iter().filter(|entry| entry.expires()).collect();
        assert_eq!(wheel.len(), expiring.len());
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
