//! What `Store#each` walks through: a Ruby object that owns the entries left to
//! yield, and with them their pins.
//!
//! An object and not a Rust frame, since a frame that yields may never go on: an
//! abandoned Enumerator leaves its fiber where it is, and `callcc` comes back to a
//! frame that has ended. The object is collected in any case.

use crate::stored::Stored;
use crate::typed_data::{self, Callbacks, DataType, TypedData, data_of, data_type, wrong_type};
use ccache_core::Entry;
use magnus::{Class, Error, Module, RClass, RModule, Ruby, Value};
use parking_lot::Mutex;
use std::ffi::c_void;
use std::sync::Arc;

/// The entries that are still to come. Unlocked whenever Ruby runs.
pub(crate) struct Snapshot(Mutex<Vec<Arc<Entry<Stored>>>>);

static SNAPSHOT_TYPE: DataType = data_type(
    c"Ccache::Store::Snapshot",
    Callbacks {
        mark: Snapshot::mark,
        free: Snapshot::free,
        size: Snapshot::size,
        compact: Snapshot::mark,
    },
    0,
);

// SAFETY: the callbacks below take a `Snapshot` and obey G6.
unsafe impl TypedData for Snapshot {
    const TYPE: &'static DataType = &SNAPSHOT_TYPE;
}

impl Snapshot {
    pub(crate) fn wrap(ruby: &Ruby, entries: Vec<Arc<Entry<Stored>>>) -> Result<Value, Error> {
        let class = ruby
            .class_object()
            .const_get::<_, RModule>("Ccache")?
            .const_get::<_, RClass>("Store")?
            .const_get("Snapshot")?;
        typed_data::wrap(class, Box::new(Self(Mutex::new(entries))))
    }

    /// The next entry. Its value is rooted by the proof of the store alone.
    pub(crate) fn next(snapshot: &Value) -> Result<Option<Arc<Entry<Stored>>>, Error> {
        Ok(Self::of(snapshot)?.0.lock().pop())
    }

    /// Drops the entries that are left.
    pub(crate) fn discard(snapshot: &Value) -> Result<(), Error> {
        let left = std::mem::take(&mut *Self::of(snapshot)?.0.lock());
        drop(left);
        Ok(())
    }

    fn of(snapshot: &Value) -> Result<&Self, Error> {
        // SAFETY: the GVL is held and the snapshot is an argument of the running
        // method, for as long as the borrow.
        unsafe { data_of::<Self>(*snapshot) }
            .ok_or_else(|| wrong_type(*snapshot, "Ccache::Store::Snapshot"))
    }

    /// Nothing to mark: the objects hang from the store's pin list.
    unsafe extern "C" fn mark(_data: *mut c_void) {}

    unsafe extern "C" fn free(data: *mut c_void) {
        // SAFETY: Ruby passes the pointer that `wrap` stored, for the last time.
        // Dropping entries unpins with atomic stores alone.
        drop(unsafe { Box::from_raw(data.cast::<Self>()) });
    }

    unsafe extern "C" fn size(_data: *const c_void) -> rb_sys::size_t {
        size_of::<Self>() as rb_sys::size_t
    }
}

/// `Ccache::Store::Snapshot`, which nobody but the store can make.
pub(crate) fn init(ruby: &Ruby, store: RClass) -> Result<(), Error> {
    let snapshot = store.define_class("Snapshot", ruby.class_object())?;
    snapshot.undef_default_alloc_func();
    Ok(())
}
