//! One segment of the [pin list](crate::pin_list): a Ruby object of 64 slots and
//! the links to its neighbours, all of which it marks.

use crate::typed_data::{self, Callbacks, DataType, TypedData, data_of, data_type};
use ccache_core::slots::{SLOTS, Slots, Tally};
use magnus::rb_sys::AsRawValue;
use magnus::{Class, Error, Module, RClass, RModule, Ruby, Value, method};
use rb_sys::VALUE;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Slots that the mark functions of all pin lists have visited. (One counter for
/// the process: a counter per list would have to be reached from the segment.)
static SLOTS_MARKED: AtomicU64 = AtomicU64::new(0);

/// A reference to a segment, or 0: a VALUE that is marked or updated by the
/// callbacks of the object it belongs to, like a slot.
#[derive(Debug)]
pub(crate) struct Link(AtomicUsize);

impl Link {
    pub(crate) const fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn get(&self) -> Option<SegmentRef> {
        NonZeroUsize::new(self.0.load(Ordering::Acquire)).map(SegmentRef)
    }

    /// Sets the link and fires the barrier of `owner`, to which it belongs (G7).
    pub(crate) fn set(&self, owner: VALUE, to: Option<SegmentRef>) {
        match to {
            None => self.0.store(0, Ordering::Release),
            Some(to) => {
                self.0.store(to.0.get(), Ordering::Release);
                // SAFETY: both are live objects and the GVL is held: links change
                // only in methods of the store (see the module).
                unsafe { rb_sys::RB_OBJ_WRITTEN(owner, 0, to.value()) };
            }
        }
    }

    /// Sets a link that the GC does not follow: its segment is in the list, which
    /// keeps it alive, and only moves have to be followed.
    pub(crate) fn point_to(&self, to: Option<SegmentRef>) {
        self.0
            .store(to.map_or(0, |to| to.0.get()), Ordering::Release);
    }

    /// # Safety
    ///
    /// In a mark callback only.
    pub(crate) unsafe fn mark(&self) {
        if let Some(segment) = self.get() {
            // SAFETY: a link refers to a live segment: it was marked in the last
            // GC through this link or the list it belongs to.
            unsafe { rb_sys::rb_gc_mark_movable(segment.value()) };
        }
    }

    /// # Safety
    ///
    /// In a compact callback only.
    pub(crate) unsafe fn relocate(&self) {
        if let Some(segment) = self.get() {
            // SAFETY: as for `mark`; moved objects leave their new address behind.
            let moved = unsafe { rb_sys::rb_gc_location(segment.value()) };
            self.0.store(moved as usize, Ordering::Release);
        }
    }
}

/// A segment object: alive, since it was read from a link of a live store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentRef(NonZeroUsize);

impl SegmentRef {
    pub(crate) fn value(self) -> VALUE {
        self.0.get() as VALUE
    }

    /// # Safety
    ///
    /// The GVL is held and no Ruby code and no GC runs during `'a`.
    pub(crate) unsafe fn segment<'a>(self) -> &'a Segment {
        // SAFETY: links hold nothing but segments that `Segment::allocate` made,
        // whose data pointer is set for as long as the object lives.
        unsafe { &*rb_sys::RTYPEDDATA_GET_DATA(self.value()).cast::<Segment>() }
    }
}

/// 64 slots that the GC marks, and the links to the neighbours.
///
/// The slots are shared with the handles: at exit Ruby frees objects in any
/// order while other threads still drop theirs.
pub(crate) struct Segment {
    pub(crate) slots: Arc<Slots>,
    pub(crate) before: Link,
    pub(crate) after: Link,
}

static SEGMENT_TYPE: DataType = data_type(
    c"Ccache::PinList::Segment",
    Callbacks {
        mark: Segment::mark,
        free: Segment::free,
        size: Segment::size,
        compact: Segment::compact,
    },
    0,
);

// SAFETY: the callbacks below take a `Segment` and obey G6.
unsafe impl TypedData for Segment {
    const TYPE: &'static DataType = &SEGMENT_TYPE;
}

impl Segment {
    pub(crate) fn allocate(ruby: &Ruby, tally: &Arc<Tally>) -> Result<SegmentRef, Error> {
        let segment = Box::new(Self {
            slots: Slots::new(Arc::clone(tally)),
            before: Link::none(),
            after: Link::none(),
        });
        // Looked up each time: a class kept in a static would be a VALUE outside
        // the slots (G1), and one look-up is shared by 64 pins.
        let class = ruby
            .class_object()
            .const_get::<_, RModule>("Ccache")?
            .const_get::<_, RClass>("PinList")?
            .const_get("Segment")?;
        let object = typed_data::wrap(class, segment)?;
        #[allow(clippy::expect_used)] // an object is never at address 0
        Ok(SegmentRef(
            NonZeroUsize::new(object.as_raw() as usize).expect("an object has an address"),
        ))
    }

    unsafe extern "C" fn mark(data: *mut c_void) {
        // SAFETY: Ruby passes the pointer that `wrap` stored. Outside a GC the
        // call may jump out of here: no frame of this function owns anything.
        unsafe {
            let segment = &*data.cast::<Self>();
            SLOTS_MARKED.fetch_add(SLOTS as u64, Ordering::Relaxed);
            segment.before.mark();
            segment.after.mark();
            segment
                .slots
                .each(|word| rb_sys::rb_gc_mark_movable(word.get() as VALUE));
        }
    }

    unsafe extern "C" fn compact(data: *mut c_void) {
        // SAFETY: as for `mark`; called with every Ruby thread stopped. A slot
        // that a native thread empties meanwhile stays empty (`relocate`).
        unsafe {
            let segment = &*data.cast::<Self>();
            segment.before.relocate();
            segment.after.relocate();
            segment.slots.relocate(|word| {
                let moved = rb_sys::rb_gc_location(word.get() as VALUE);
                NonZeroUsize::new(moved as usize).unwrap_or(word)
            });
        }
    }

    unsafe extern "C" fn free(data: *mut c_void) {
        // SAFETY: Ruby passes the pointer that `wrap` stored, for the last time.
        // Handles that are still around keep the slots.
        drop(unsafe { Box::from_raw(data.cast::<Self>()) });
    }

    unsafe extern "C" fn size(_data: *const c_void) -> rb_sys::size_t {
        (size_of::<Self>() + size_of::<Slots>()) as rb_sys::size_t
    }
}

/// `Ccache::PinList::Segment#size`.
fn segment_size(segment: Value) -> Result<usize, Error> {
    // SAFETY: the GVL is held and the receiver is on the VM's stack.
    let segment = unsafe { data_of::<Segment>(segment) };
    let free = segment.map_or(SLOTS, |segment| segment.slots.free_count());
    Ok(SLOTS - free)
}

/// `Ccache::PinList.slots_marked`.
fn slots_marked(_class: Value) -> u64 {
    SLOTS_MARKED.load(Ordering::Relaxed)
}

/// `Ccache::PinList` with `Ccache::PinList::Segment`, which nobody else can make.
pub(crate) fn init(ruby: &Ruby, ccache: RModule) -> Result<(), Error> {
    let list = ccache.define_class("PinList", ruby.class_object())?;
    magnus::Object::define_singleton_method(list, "slots_marked", method!(slots_marked, 0))?;
    let segment = list.define_class("Segment", ruby.class_object())?;
    segment.undef_default_alloc_func();
    segment.define_method("size", method!(segment_size, 0))?;
    Ok(())
}
