//! The pin list: what keeps cached objects alive.
//!
//! A doubly linked list of segments that hangs from the store object. A segment
//! is a Ruby object with a write barrier; it marks its 64 slots and its two
//! neighbours, and the store marks the first segment. So:
//!
//! * An insert fires the barrier of one segment. A minor GC marks the segments
//!   that changed and skips all others, whatever the size of the cache (P2).
//! * A store that nobody refers to takes its list with it: there is no global
//!   root, so a value that refers to its own store is collected with it.
//! * Removing a pin is two atomic stores ([`ccache_core::slots`]).
//!
//! One segment, the *current* one, takes all pins until it is full; then the
//! next is looked for with a few steps of a cursor through the list, among those
//! with at least a quarter of their slots free, so that random overwrites do not
//! make every segment dirty, and allocated if none is found. Segments without a
//! pin are unlinked once they are more than an eighth of the list.
//!
//! # Who changes what
//!
//! Slots: any thread. Links (first, current and cursor included): only with the GVL
//! and under `structure`, which is never waited for natively (a Ractor that did
//! could not join a GC that the owner waits for) but tried, with the scheduler in
//! between.
//! The GC's callbacks read all of it without a lock, and relocate it while every
//! Ruby thread is stopped.

use crate::handle::{Live, PinHandle};
use crate::segment::{Link, Segment, SegmentRef};
use crate::typed_data;
use ccache_core::slots::{SLOTS, Slots, Tally};
use magnus::rb_sys::AsRawValue;
use magnus::{Error, RArray, Value};
use parking_lot::{Mutex, MutexGuard};
use rb_sys::VALUE;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A segment is used again once so many of its slots are free.
const REFILL: usize = SLOTS / 4;

/// Segments that are looked at before a new one is allocated.
const CURSOR_STEPS: usize = 8;

/// A store's list of segments.
pub struct PinList {
    tally: Arc<Tally>,
    structure: Arc<Mutex<()>>,
    first: Link,
    /// The segment that takes the next pin; always in the list. Not marked.
    current: Link,
    /// Where the search for a segment to refill goes on, in the list. Not marked.
    cursor: Link,
    segments: AtomicUsize,
}

impl PinList {
    pub(crate) fn new() -> Self {
        Self {
            tally: Arc::default(),
            structure: Arc::default(),
            first: Link::none(),
            current: Link::none(),
            cursor: Link::none(),
            segments: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn of<'a>(live: &Live<'a>) -> &'a Self {
        live.store().pins()
    }

    #[inline]
    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// The structure's lock, for specs.
    #[cfg(feature = "testing")]
    pub(crate) fn structure(&self) -> Arc<Mutex<()>> {
        Arc::clone(&self.structure)
    }

    /// Pins an object that is no immediate. May allocate in Ruby, so no lock of
    /// ours may be held, and may raise `NoMemoryError`.
    pub(crate) fn pin(live: &Live<'_>, object: Value) -> Result<PinHandle, Error> {
        let pins = Self::of(live);
        debug_assert!(!rb_sys::SPECIAL_CONST_P(object.as_raw()));
        let Some(word) = NonZeroUsize::new(object.as_raw() as usize) else {
            return Err(typed_data::wrong_type(object, "object")); // `false` is an immediate
        };
        loop {
            if let Some(current) = pins.current.get() {
                // SAFETY: the GVL is held (`live`), nothing runs until the barrier.
                let slot = unsafe { current.segment() }.slots.claim(word);
                if let Some(slot) = slot {
                    // SAFETY: both objects are live; G7: the slot was written
                    // right before, without a chance for the GC to run.
                    unsafe { rb_sys::RB_OBJ_WRITTEN(current.value(), 0, object.as_raw()) };
                    return Ok(PinHandle::new(slot));
                }
            }
            pins.advance(live)?;
        }
    }

    /// Makes another segment the current one.
    fn advance(&self, live: &Live<'_>) -> Result<(), Error> {
        let store = live.object().as_raw();
        {
            let _structure = self.lock_structure(live)?;
            if let Some(refill) = self.find_refill() {
                self.current.point_to(Some(refill));
                self.unlink_empty_segments(store);
                return Ok(());
            }
        }
        // No lock is held: the allocation may start a GC, in which other Ractors
        // take part. The new segment is on this stack until it is linked.
        let segment = Segment::allocate(&live.ruby(), &self.tally)?;
        let _structure = self.lock_structure(live)?;
        let first = self.first.get();
        // SAFETY: the GVL is held and nothing below allocates in Ruby.
        unsafe {
            segment.segment().after.set(segment.value(), first);
            if let Some(first) = first {
                first.segment().before.set(first.value(), Some(segment));
            }
        }
        self.first.set(store, Some(segment));
        self.current.point_to(Some(segment));
        self.segments.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A segment that is worth filling up, among the next few.
    fn find_refill(&self) -> Option<SegmentRef> {
        for _ in 0..CURSOR_STEPS {
            let here = self.cursor.get().or_else(|| self.first.get())?;
            // SAFETY: the GVL is held and nothing here allocates in Ruby.
            let segment = unsafe { here.segment() };
            self.cursor.point_to(segment.after.get());
            if segment.slots.free_count() >= REFILL {
                return Some(here);
            }
        }
        None
    }

    /// Gives the memory of emptied segments back, if they are more than an
    /// eighth of all: a walk through the list is then paid by those it frees.
    pub(crate) fn tidy(live: &Live<'_>) -> Result<(), Error> {
        let pins = Self::of(live);
        if pins.is_sparse() {
            let _structure = pins.lock_structure(live)?;
            pins.unlink_empty_segments(live.object().as_raw());
        }
        Ok(())
    }

    #[inline]
    fn is_sparse(&self) -> bool {
        let empty = self.tally.empty_segments();
        empty > 1 && empty * 8 > self.segments.load(Ordering::Relaxed)
    }

    fn unlink_empty_segments(&self, store: VALUE) {
        if !self.is_sparse() {
            return;
        }
        let mut next = self.first.get();
        while let Some(here) = next {
            // SAFETY: the GVL is held and nothing here allocates in Ruby.
            let segment = unsafe { here.segment() };
            next = segment.after.get();
            if self.current.get() != Some(here) && segment.slots.seal_if_empty() {
                self.unlink(store, here, segment);
            }
        }
    }

    fn unlink(&self, store: VALUE, here: SegmentRef, segment: &Segment) {
        let (before, after) = (segment.before.get(), segment.after.get());
        match before {
            None => self.first.set(store, after),
            // SAFETY: the GVL is held and nothing here allocates in Ruby.
            Some(before) => unsafe { before.segment() }.after.set(before.value(), after),
        }
        if let Some(after) = after {
            // SAFETY: as above.
            unsafe { after.segment() }.before.set(after.value(), before);
        }
        if self.cursor.get() == Some(here) {
            self.cursor.point_to(after);
        }
        segment.before.set(here.value(), None);
        segment.after.set(here.value(), None);
        self.segments.fetch_sub(1, Ordering::Relaxed);
    }

    /// The structure's lock. Contended only where Ractors share the store; then
    /// the other one gets its turn, and a GC it waits for can run.
    fn lock_structure(&self, live: &Live<'_>) -> Result<MutexGuard<'_, ()>, Error> {
        loop {
            if let Some(guard) = self.structure.try_lock() {
                return Ok(guard);
            }
            magnus::rb_sys::protect(|| {
                // SAFETY: the GVL is held (`live`) and no lock of ours is.
                unsafe { rb_sys::rb_thread_schedule() };
                live.object().as_raw()
            })?;
        }
    }

    fn each_segment(&self, live: &Live<'_>, mut visit: impl FnMut(&Segment)) -> Result<(), Error> {
        let _structure = self.lock_structure(live)?;
        let mut next = self.first.get();
        while let Some(here) = next {
            // SAFETY: the GVL is held; `visit` calls no Ruby.
            let segment = unsafe { here.segment() };
            visit(segment);
            next = segment.after.get();
        }
        Ok(())
    }

    /// How many pins there are.
    pub(crate) fn count(live: &Live<'_>) -> Result<usize, Error> {
        let mut pins = 0;
        Self::of(live).each_segment(live, |segment| pins += SLOTS - segment.slots.free_count())?;
        Ok(pins)
    }

    /// How many segments there are.
    pub(crate) fn segments(&self) -> usize {
        self.segments.load(Ordering::Relaxed)
    }

    /// Bytes of all segments, Ruby's object slots apart.
    pub(crate) fn bytes(&self) -> usize {
        self.segments() * (size_of::<Segment>() + size_of::<Slots>())
    }

    /// The pinned objects at this moment.
    pub(crate) fn objects(live: &Live<'_>) -> Result<RArray, Error> {
        let objects = live.ruby().ary_new();
        let mut segments = Vec::new();
        Self::of(live).each_segment(live, |segment| segments.push(Arc::clone(&segment.slots)))?;
        for slots in segments {
            for word in slots.words() {
                // An object read from a slot was alive at that moment, and only
                // this thread, which has it on its stack, can start a GC (G2).
                objects.push(typed_data::from_raw(word.get() as VALUE))?;
            }
        }
        Ok(objects)
    }

    /// # Safety
    ///
    /// In the store's mark callback only.
    pub(crate) unsafe fn mark(&self) {
        // SAFETY: passed on. The other links refer to segments of the same list.
        unsafe { self.first.mark() };
    }

    /// # Safety
    ///
    /// In the store's compact callback only.
    pub(crate) unsafe fn relocate(&self) {
        for link in [&self.first, &self.current, &self.cursor] {
            // SAFETY: passed on.
            unsafe { link.relocate() };
        }
    }
}
