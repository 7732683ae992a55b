//! Who goes when the cache is full: SIEVE (Zhang et al., "SIEVE is Simpler than
//! LRU", NSDI 2024).
//!
//! Entries stand in the order of their arrival. A hit sets a flag of its own
//! entry and touches nothing else. A hand moves from the oldest to the newest,
//! clears the flags it meets and evicts the first entry without one; it goes on
//! from there the next time, so that what was not read since the hand last came
//! by leaves before what was.

use crate::entry::Entry;
use crate::linked_slab::{LinkedSlab, Node};
use std::sync::{Arc, atomic::Ordering};

/// The entries of a bounded cache, oldest first, and the hand.
#[derive(Debug)]
pub(crate) struct Sieve<V> {
    entries: LinkedSlab<Arc<Entry<V>>>,
    hand: Option<Node>,
}

impl<V> Sieve<V> {
    pub(crate) fn new() -> Self {
        Self {
            entries: LinkedSlab::new(1),
            hand: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    pub(crate) fn insert(&mut self, entry: &Arc<Entry<V>>) {
        let node = self.entries.append(0, Arc::clone(entry));
        entry.place.in_policy.put(node);
    }

    /// Puts a new write of a key in the place of the old one, as visited.
    pub(crate) fn replace(&mut self, old: &Entry<V>, new: &Arc<Entry<V>>) {
        let Some(node) = old.place.in_policy.take() else {
            return self.insert(new); // the old one was being evicted
        };
        new.place.visited.store(true, Ordering::Relaxed);
        new.place.in_policy.put(node);
        self.entries.replace(node, Arc::clone(new));
    }

    pub(crate) fn remove(&mut self, entry: &Entry<V>) {
        if let Some(node) = entry.place.in_policy.take() {
            self.unlink(node);
        }
    }

    /// Takes out the entry that goes next, but not `newcomer`, for which it goes:
    /// that has not been visited yet and would go whenever all others had been.
    /// It must not be the only entry.
    pub(crate) fn evict_for(&mut self, newcomer: &Entry<V>) -> Option<Arc<Entry<V>>> {
        let is_newcomer = |entry: &Arc<Entry<V>>| std::ptr::eq(&**entry, newcomer);
        let mut node = self.hand.or_else(|| self.entries.first(0))?;
        while self.entries.get(node).is_some_and(|entry| {
            is_newcomer(entry) || entry.place.visited.swap(false, Ordering::Relaxed)
        }) {
            node = self
                .entries
                .after(node)
                .or_else(|| self.entries.first(0))
                .unwrap_or(node);
        }
        self.hand = Some(node);
        let evicted = self.unlink(node)?;
        evicted.place.in_policy.take();
        Some(evicted)
    }

    fn unlink(&mut self, node: Node) -> Option<Arc<Entry<V>>> {
        if self.hand == Some(node) {
            self.hand = self.entries.after(node);
        }
        self.entries.unlink(node)
    }

    #[cfg(test)]
    pub(crate) fn holds(&self, entry: &Arc<Entry<V>>) -> bool {
        let node = entry.place.in_policy.get();
        let held = node.and_then(|node| self.entries.get(node));
        held.is_some_and(|held| Arc::ptr_eq(held, entry))
    }

    #[cfg(test)]
    pub(crate) fn validate(&self) {
        self.entries.validate();
        assert!(
            self.hand
                .is_none_or(|node| self.entries.get(node).is_some())
        );
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock::NEVER;
    use crate::etag::Etag;

    fn entry(key: &str) -> Arc<Entry<()>> {
        let etag = Etag::parse(b"tag").unwrap();
        Arc::new(Entry::new(key.as_bytes(), (), etag, 0, NEVER))
    }

    fn sieve(keys: &str) -> (Sieve<()>, Vec<Arc<Entry<()>>>) {
        let entries: Vec<_> = keys.split(' ').map(entry).collect();
        let mut sieve = Sieve::new();
        entries.iter().for_each(|entry| sieve.insert(entry));
        (sieve, entries)
    }

    fn evict(sieve: &mut Sieve<()>, count: usize) -> String {
        let mut evicted = Vec::new();
        for _ in 0..count {
            let victim = sieve.evict_for(&entry("outside")).unwrap();
            evicted.push(String::from_utf8(victim.key().into()).unwrap());
            sieve.validate();
        }
        evicted.join(" ")
    }

    fn visit(entry: &Entry<()>) {
        entry.place.visited.store(true, Ordering::Relaxed);
    }

    #[test]
    fn without_hits_the_oldest_goes_first() {
        let (mut sieve, _entries) = sieve("a b c");
        assert_eq!(evict(&mut sieve, 3), "a b c");
        assert!(sieve.evict_for(&entry("outside")).is_none());
    }

    #[test]
    fn a_newcomer_stays_though_all_others_were_visited() {
        let (mut sieve, entries) = sieve("a b c");
        entries[..2].iter().for_each(|entry| visit(entry));
        assert!(Arc::ptr_eq(
            &sieve.evict_for(&entries[2]).unwrap(),
            &entries[0]
        ));
        sieve.validate();
        assert_eq!(evict(&mut sieve, 2), "b c");
    }

    #[test]
    fn a_visited_entry_is_passed_over_once() {
        let (mut sieve, entries) = sieve("a b c d");
        visit(&entries[0]);
        visit(&entries[2]);
        assert_eq!(evict(&mut sieve, 4), "b d a c");
    }

    #[test]
    fn the_hand_goes_on_where_it_was() {
        let (mut sieve, entries) = sieve("a b c");
        visit(&entries[0]);
        assert_eq!(evict(&mut sieve, 1), "b");
        sieve.insert(&entry("d"));
        assert_eq!(evict(&mut sieve, 3), "c d a");
    }

    #[test]
    fn a_removed_entry_is_never_evicted_even_under_the_hand() {
        let (mut sieve, entries) = sieve("a b c");
        assert_eq!(evict(&mut sieve, 1), "a");
        sieve.remove(&entries[1]);
        sieve.remove(&entries[1]);
        sieve.validate();
        assert_eq!(evict(&mut sieve, 1), "c");
        assert_eq!(sieve.len(), 0);
    }

    #[test]
    fn an_overwrite_counts_as_a_visit() {
        let (mut sieve, entries) = sieve("a b");
        sieve.replace(&entries[0], &entry("A"));
        assert_eq!(evict(&mut sieve, 2), "b A");
    }

    #[test]
    fn an_overwrite_keeps_its_place_behind_the_hand() {
        let (mut sieve, entries) = sieve("a b c");
        visit(&entries[0]);
        assert_eq!(evict(&mut sieve, 1), "b");
        sieve.replace(&entries[0], &entry("A"));
        sieve.insert(&entry("d"));
        assert_eq!(evict(&mut sieve, 3), "c d A");
    }

    #[test]
    fn an_overwrite_of_what_is_being_evicted_comes_in_anew() {
        let (mut sieve, entries) = sieve("a b");
        assert_eq!(evict(&mut sieve, 1), "a");
        sieve.replace(&entries[0], &entry("A"));
        assert_eq!(evict(&mut sieve, 2), "b A");
    }
}
