//! What a `Ccache::Store` is to Ruby's GC, and how a method gets at it: allocated,
//! opened by `initialize`, closed, freed. Its methods are in
//! `methods.rs`.

use crate::arguments::lifetime;
use crate::departures::{self, Departures};
use crate::errors;
use crate::handle::Live;
use crate::pin_list::PinList;
use crate::reaper::{self, Shelf};
use crate::remote::Link;
use crate::typed_data::{Callbacks, DataType, TypedData, data_of, data_type, wrong_type};
use ccache_core::{Bounds, Cache, Clock, Config, Lifetime};
use magnus::rb_sys::AsRawValue;
use magnus::{Error, RClass, RHash, Ruby, Value};
use std::ffi::c_void;
use std::hash::{BuildHasher, RandomState};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The data of a `Ccache::Store`: empty as allocated, open once initialized.
pub struct Store {
    pins: PinList,
    opened: OnceLock<Opened>,
    is_closed: AtomicBool,
}

/// What `initialize` sets up.
pub(crate) struct Opened {
    pub(crate) shelf: Arc<Shelf>,
    /// For writes that do not say.
    pub(crate) lifetime: Lifetime,
    /// Whether values are kept as they are, so that `set` needs no face.
    pub(crate) is_shared: bool,
}

static STORE_TYPE: DataType = data_type(
    c"Ccache::Store",
    Callbacks {
        mark: Store::mark,
        free: Store::free,
        size: Store::size,
        compact: Store::compact,
    },
    rb_sys::rbimpl_typeddata_flags::RUBY_TYPED_FROZEN_SHAREABLE as rb_sys::VALUE,
);

// SAFETY: the callbacks below take a `Store` and obey G6.
unsafe impl TypedData for Store {
    const TYPE: &'static DataType = &STORE_TYPE;
}

impl Store {
    /// For `closed?` and `close`; `open` has looked already.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// From now on `open` refuses.
    pub(crate) fn refuse_from_now_on(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn pins(&self) -> &PinList {
        &self.pins
    }

    unsafe extern "C" fn allocate(class: rb_sys::VALUE) -> rb_sys::VALUE {
        let store = Box::into_raw(Box::new(Self {
            pins: PinList::new(),
            opened: OnceLock::new(),
            is_closed: AtomicBool::new(false),
        }));
        // SAFETY: Ruby calls this with the GVL and a class. If it raises (no
        // memory), it leaves this frame, which owns nothing, and leaks the store.
        unsafe { rb_sys::rb_data_typed_object_wrap(class, store.cast(), Self::TYPE.as_ptr()) }
    }

    unsafe extern "C" fn mark(data: *mut c_void) {
        // SAFETY: Ruby passes the pointer that `allocate` stored; no frame here
        // owns anything, so the call may be jumped out of.
        unsafe { (*data.cast::<Self>()).pins.mark() };
    }

    unsafe extern "C" fn compact(data: *mut c_void) {
        // SAFETY: as for `mark`.
        unsafe { (*data.cast::<Self>()).pins.relocate() };
    }

    unsafe extern "C" fn free(data: *mut c_void) {
        // SAFETY: Ruby passes the pointer that `allocate` stored, for the last
        // time. A full map stays with the reaper's registry (G6), which is woken;
        // one that an interrupted `close` has left to the reaper is empty by now.
        let store = unsafe { Box::from_raw(data.cast::<Self>()) };
        if let Some(opened) = store.opened.get() {
            opened.shelf.abandon();
        }
        drop(store);
        reaper::wake();
    }

    unsafe extern "C" fn size(data: *const c_void) -> rb_sys::size_t {
        // SAFETY: as for `mark`; reads atomics alone.
        let store = unsafe { &*data.cast::<Self>() };
        let held = store.opened.get().map_or(0, |opened| {
            const TABLE: usize = 2 * size_of::<usize>(); // per entry, at its usual load
            opened.shelf.entry_bytes() + opened.shelf.len() * TABLE
        });
        (size_of::<Self>() + held) as rb_sys::size_t
    }
}

/// The receiver, initialized and open.
#[inline]
pub(crate) fn open<'a>(store: &'a Value) -> Result<(Live<'a>, &'a Opened), Error> {
    let (live, opened) = opened(store)?;
    if live.store().is_closed() {
        return Err(errors::closed(*store));
    }
    // In a forked child the first call starts the thread. If that fails now, a
    // later call tries again: expiry waits, reads do not depend on it.
    let _ = reaper::ensure_running();
    if let Some(departures) = opened.shelf.departures()
        && !departures.is_heard()
    {
        departures::listen(*store)?;
    }
    Ok((live, opened))
}

/// The receiver, initialized. Borrows the method's own variable: on the machine
/// stack, as the receiver is on the VM's, until the method returns.
#[inline]
pub(crate) fn opened<'a>(store: &'a Value) -> Result<(Live<'a>, &'a Opened), Error> {
    // SAFETY: magnus calls methods with the GVL; `store` is a live object, being
    // the receiver or an argument, for as long as `'a`.
    let data = unsafe { data_of::<Store>(*store) };
    let Some((data, opened)) = data.and_then(|data| Some((data, data.opened.get()?))) else {
        return Err(wrong_type(*store, "Ccache::Store"));
    };
    // SAFETY: as above.
    Ok((unsafe { Live::new(*store, data) }, opened))
}

/// The proof that specs pin and root with.
#[cfg(feature = "testing")]
pub(crate) fn live(store: &Value) -> Result<Live<'_>, Error> {
    Ok(open(store)?.0)
}

/// The map, for native threads of specs.
#[cfg(feature = "testing")]
pub(crate) fn shelf(store: Value) -> Result<Arc<Shelf>, Error> {
    Ok(Arc::clone(&open(&store)?.1.shelf))
}

fn bounds(max_entries: Option<usize>, max_bytes: Option<u64>) -> Bounds {
    Bounds {
        max_entries: max_entries.and_then(NonZeroUsize::new),
        max_bytes: max_bytes.and_then(NonZeroU64::new),
    }
}

/// `initialize`'s native part: bounds of entries and bytes or nil, how long entries may
/// be idle and how long they live in nanoseconds or nil, whether `set` keeps values as
/// they are, whether somebody wants to know what leaves, and the settings of a server
/// or nil.
#[allow(clippy::too_many_arguments)] // the face's one way to open
pub(crate) fn open_store(
    ruby: &Ruby,
    store: Value,
    max_entries: Option<usize>,
    max_bytes: Option<u64>,
    idle: Option<u64>,
    default_lifetime: Value,
    is_shared: bool,
    has_listener: bool,
    remote: Option<RHash>,
) -> Result<(), Error> {
    // SAFETY: as in `opened`.
    let Some(data) = (unsafe { data_of::<Store>(store) }) else {
        return Err(wrong_type(store, "Ccache::Store"));
    };
    let clock = Clock::machine();
    let link = remote
        .map(|settings| Link::new(settings, &clock))
        .transpose()?;
    let cache = Cache::new(Config {
        bounds: bounds(max_entries, max_bytes),
        idle,
        seed: RandomState::new().hash_one(0),
        clock,
    });
    let shelf = Shelf::new(cache, link, has_listener.then(Departures::new));
    let opened = Opened {
        shelf: Arc::clone(&shelf),
        lifetime: lifetime(default_lifetime, Lifetime::Unlimited)?,
        is_shared,
    };
    reaper::adopt(&shelf).map_err(|error| errors::no_thread(ruby, &error))?;
    if data.opened.set(opened).is_err() {
        shelf.abandon();
        reaper::wake();
        let message = "the store is initialized already";
        return Err(Error::new(ruby.exception_runtime_error(), message));
    }
    Ok(())
}

/// Lets Ruby allocate stores, also of subclasses.
pub(crate) fn define_allocator(class: RClass) {
    // SAFETY: the GVL is held, as magnus' types are proof of; the function
    // allocates a `Store` for any subclass.
    unsafe { rb_sys::rb_define_alloc_func(class.as_raw(), Some(Store::allocate)) };
}
