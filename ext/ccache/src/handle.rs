//! Stored is not rooted (G3).
//!
//! What an entry holds is a [`PinHandle`]: it owns a slot of the pin list, and
//! there is no way from it to the object in the slot but [`PinHandle::root`],
//! which asks for a [`Live`]: the proof that this thread holds the GVL and that
//! the store, from which the slot's segment hangs, is on the stack of the method
//! that runs. The [`Rooted`] that comes out borrows that proof and can neither
//! outlive it, nor go to another thread, nor into the cache. `tests/ui` holds
//! the compiler to it.
//!
//! The shape is that of `Gc`/`Root` in elise (`Root<'root>`, `Gc<'root, T>`
//! against `GcStore<T>`), with the running method as the root.

use crate::pin_list::PinList;
use crate::store::Store;
use ccache_core::slots::SlotHandle;
use magnus::{Ruby, Value};
use std::marker::PhantomData;
use std::sync::Arc;

/// Proof that the GVL is held and that the store is a receiver or an argument of
/// the running method, so that its pin list is marked by any GC that starts.
#[derive(Clone, Copy)]
pub struct Live<'a> {
    object: Value,
    store: &'a Store,
    /// Not `Send`: the GVL belongs to this thread.
    not_send: PhantomData<*const ()>,
}

impl<'a> Live<'a> {
    /// # Safety
    ///
    /// The caller holds the GVL, `store` is the data of `object`, and `object`
    /// is reachable for `'a`, as receivers and arguments of a running method are.
    #[inline]
    pub(crate) unsafe fn new(object: Value, store: &'a Store) -> Self {
        Self {
            object,
            store,
            not_send: PhantomData,
        }
    }

    /// The store.
    #[inline]
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// The store's Ruby object.
    #[inline]
    pub(crate) fn object(&self) -> Value {
        self.object
    }

    /// Ruby, with the GVL.
    #[inline]
    pub(crate) fn ruby(&self) -> Ruby {
        Ruby::get_with(self.object)
    }
}

/// A pinned object as an entry holds it. Dropping it unpins: on any thread, with
/// or without the GVL, during a GC, after the VM is gone. Forgetting it leaks
/// the pin (G5).
#[derive(Debug)]
pub struct PinHandle(SlotHandle);

impl PinHandle {
    pub(crate) fn new(slot: SlotHandle) -> Self {
        Self(slot)
    }

    /// The pinned object. `None` if the handle belongs to another store than the
    /// proof: its segment might be gone.
    #[inline]
    pub fn root<'a>(&self, live: &Live<'a>) -> Option<Rooted<'a>> {
        let is_of_this_store = Arc::ptr_eq(self.0.slots().tally(), PinList::of(live).tally());
        is_of_this_store.then(|| Rooted {
            value: crate::typed_data::from_raw(self.0.word() as rb_sys::VALUE),
            proof: PhantomData,
        })
    }
}

/// An object out of the cache, as long as the proof lasts.
#[derive(Clone, Copy)]
pub struct Rooted<'a> {
    value: Value,
    proof: PhantomData<Live<'a>>,
}

impl Rooted<'_> {
    /// The object, to be returned to Ruby or kept on the machine stack (G1).
    #[inline]
    pub(crate) fn value(self) -> Value {
        self.value
    }
}
