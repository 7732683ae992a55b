//! The slots of one pin-list segment: 64 words and a bitmap of the free ones.
//!
//! A garbage collector walks the words; the cache holds [`SlotHandle`]s, each
//! the sole owner of one slot. Claiming happens on the threads that are allowed
//! to touch the collector; releasing is `Drop`, on any thread, at any time,
//! also during a collection and after the collector's own object is gone. So:
//!
//! * **Claim**: clear a bit of the free bitmap (acquire), then store the word
//!   (release). The bitmap gives exclusive ownership of the slot, so the store
//!   races with nobody but readers.
//! * **Release**: store 0 (release), *then* set the free bit (release). In the
//!   other order a new owner could claim the slot between the two and have its
//!   word wiped by the old one. The acquire on the claim's side orders the new
//!   word after the old 0.
//! * **Relocate** (a compacting collector): compare-and-exchange, so that a slot
//!   released in the meantime stays released.
//!
//! Words are opaque here. The binding stores Ruby VALUEs in them, which is why
//! 0 means "empty": it is `false` in Ruby, an immediate that needs no slot.

use crate::sync::{Arc, AtomicIsize, AtomicU64, AtomicUsize, Ordering};
use std::num::NonZeroUsize;

/// Slots of one segment: as many as a machine word has bits.
pub const SLOTS: usize = if cfg!(loom) { 3 } else { 64 };

const ALL_FREE: u64 = u64::MAX >> (64 - SLOTS);

/// What all segments of one list have in common.
#[derive(Debug)]
pub struct Tally {
    empty: AtomicIsize,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            empty: AtomicIsize::new(0),
        }
    }
}

impl Tally {
    /// How many segments have no slot in use.
    ///
    /// Exact when no thread is inside a claim or a release, and a hint otherwise.
    pub fn empty_segments(&self) -> usize {
        usize::try_from(self.empty.load(Ordering::Relaxed)).unwrap_or(0)
    }
}

/// The words of one segment and the bitmap of those that are free.
#[derive(Debug)]
pub struct Slots {
    words: [AtomicUsize; SLOTS],
    free: AtomicU64,
    tally: Arc<Tally>,
}

impl Slots {
    /// A segment with every slot free, counted in `tally`.
    pub fn new(tally: Arc<Tally>) -> Arc<Self> {
        tally.empty.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            words: std::array::from_fn(|_| AtomicUsize::new(0)),
            free: AtomicU64::new(ALL_FREE),
            tally,
        })
    }

    /// Claims a free slot for `word`; `None` when the segment is full or sealed.
    ///
    /// **Locking behaviour:** lock-free.
    pub fn claim(self: &Arc<Self>, word: NonZeroUsize) -> Option<SlotHandle> {
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            if free == 0 {
                return None;
            }
            let lowest = free & free.wrapping_neg();
            match self.free.compare_exchange_weak(
                free,
                free & !lowest,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    if free == ALL_FREE {
                        self.tally.empty.fetch_sub(1, Ordering::Relaxed);
                    }
                    let index = lowest.trailing_zeros() as u8;
                    self.words[index as usize].store(word.get(), Ordering::Release);
                    return Some(SlotHandle {
                        slots: Arc::clone(self),
                        index,
                    });
                }
                Err(now) => free = now,
            }
        }
    }

    /// Takes every slot out of use if none is in use, so that the segment can be
    /// unlinked without a claim slipping in. A sealed segment stays sealed.
    pub fn seal_if_empty(&self) -> bool {
        let sealed = self
            .free
            .compare_exchange(ALL_FREE, 0, Ordering::Acquire, Ordering::Relaxed)
            .is_ok();
        if sealed {
            self.tally.empty.fetch_sub(1, Ordering::Relaxed);
        }
        sealed
    }

    /// How many slots are free: a hint, unless claims are excluded.
    pub fn free_count(&self) -> usize {
        self.free.load(Ordering::Relaxed).count_ones() as usize
    }

    /// Calls `visit` with every word in use. Plain loads and calls: nothing here
    /// locks, allocates or needs to be cleaned up, so `visit` may never return.
    #[inline]
    pub fn each(&self, mut visit: impl FnMut(NonZeroUsize)) {
        for word in &self.words {
            if let Some(word) = NonZeroUsize::new(word.load(Ordering::Acquire)) {
                visit(word);
            }
        }
    }

    /// The words in use, each read when it is asked for.
    pub fn words(&self) -> impl Iterator<Item = NonZeroUsize> + '_ {
        self.words
            .iter()
            .filter_map(|word| NonZeroUsize::new(word.load(Ordering::Acquire)))
    }

    /// Replaces every word in use by what `locate` says of it; a slot released
    /// in the meantime stays empty.
    #[inline]
    pub fn relocate(&self, mut locate: impl FnMut(NonZeroUsize) -> NonZeroUsize) {
        for slot in &self.words {
            let Some(word) = NonZeroUsize::new(slot.load(Ordering::Acquire)) else {
                continue;
            };
            let moved = locate(word);
            if moved != word {
                // A failure means that the slot was released: nothing to update.
                let _ = slot.compare_exchange(
                    word.get(),
                    moved.get(),
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                );
            }
        }
    }

    /// The list that this segment is counted in.
    #[inline]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    fn release(&self, index: u8) {
        self.words[index as usize].store(0, Ordering::Release);
        let bit = 1_u64 << index;
        let before = self.free.fetch_or(bit, Ordering::Release);
        debug_assert_eq!(before & bit, 0, "a slot was released twice");
        if before | bit == ALL_FREE {
            self.tally.empty.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The only owner of one slot; dropping it empties the slot.
///
/// Forgetting it (`mem::forget`) leaks the slot and the segment's memory and
/// does nothing else.
#[derive(Debug)]
pub struct SlotHandle {
    slots: Arc<Slots>,
    index: u8,
}

impl SlotHandle {
    /// The word in the slot.
    #[inline]
    pub fn word(&self) -> usize {
        self.slots.words[self.index as usize].load(Ordering::Acquire)
    }

    /// The segment that the slot belongs to.
    #[inline]
    pub fn slots(&self) -> &Arc<Slots> {
        &self.slots
    }
}

impl Drop for SlotHandle {
    fn drop(&mut self) {
        self.slots.release(self.index);
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::mem::ManuallyDrop;

    fn word(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    fn words(slots: &Slots) -> Vec<usize> {
        let mut seen = Vec::new();
        slots.each(|word| seen.push(word.get()));
        seen
    }

    #[test]
    fn a_claimed_slot_holds_its_word_until_the_handle_is_dropped() {
        let slots = Slots::new(Arc::default());
        let handle = slots.claim(word(8)).unwrap();
        assert_eq!(handle.word(), 8);
        assert_eq!(words(&slots), [8]);
        drop(handle);
        assert_eq!(words(&slots), [] as [usize; 0]);
        assert_eq!(slots.free_count(), SLOTS);
    }

    #[test]
    fn a_full_segment_refuses_and_takes_again_after_a_release() {
        let slots = Slots::new(Arc::default());
        let mut handles: Vec<_> = (1..=SLOTS).map(|n| slots.claim(word(n)).unwrap()).collect();
        assert!(slots.claim(word(99)).is_none());
        handles.remove(17);
        let again = slots.claim(word(99)).unwrap();
        assert_eq!(again.word(), 99);
        assert_eq!(words(&slots).len(), SLOTS);
    }

    #[test]
    fn the_tally_counts_segments_without_a_word() {
        let tally = Arc::new(Tally::default());
        let first = Slots::new(Arc::clone(&tally));
        let _second = Slots::new(Arc::clone(&tally));
        assert_eq!(tally.empty_segments(), 2);
        let handle = first.claim(word(8)).unwrap();
        assert_eq!(tally.empty_segments(), 1);
        drop(handle);
        assert_eq!(tally.empty_segments(), 2);
        assert!(first.seal_if_empty());
        assert_eq!(tally.empty_segments(), 1);
    }

    #[test]
    fn a_sealed_segment_takes_nothing() {
        let slots = Slots::new(Arc::default());
        let handle = slots.claim(word(8)).unwrap();
        assert!(!slots.seal_if_empty());
        drop(handle);
        assert!(slots.seal_if_empty());
        assert!(slots.claim(word(8)).is_none());
        assert!(!slots.seal_if_empty());
    }

    #[test]
    fn relocation_updates_the_words_in_use_and_no_other() {
        let slots = Slots::new(Arc::default());
        let kept = slots.claim(word(8)).unwrap();
        let gone = slots.claim(word(16)).unwrap();
        let mut gone = Some(gone);
        slots.relocate(|word| {
            if word.get() == 16 {
                gone = None; // released between the read and the update
            }
            word.checked_add(4).unwrap()
        });
        assert_eq!(kept.word(), 12);
        assert_eq!(words(&slots), [12]);
    }

    #[test]
    fn a_forgotten_handle_leaks_its_slot_alone() {
        let slots = Slots::new(Arc::default());
        let forgotten = ManuallyDrop::new(slots.claim(word(8)).unwrap());
        assert_eq!(words(&slots), [8]);
        assert_eq!(slots.claim(word(16)).unwrap().word(), 16);
        assert!(!slots.seal_if_empty());
        drop(ManuallyDrop::into_inner(forgotten)); // or LeakSanitizer would find it
    }

    #[test]
    fn a_handle_outlives_the_list() {
        let slots = Slots::new(Arc::default());
        let handle = slots.claim(word(8)).unwrap();
        drop(slots);
        assert_eq!(handle.word(), 8);
    }
}
