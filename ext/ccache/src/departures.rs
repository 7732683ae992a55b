//! What left a store and `on_evict:` is still to be told of.
//!
//! Whoever takes an entry out of the map puts it here, on any thread, inside the gate
//! and outside the map's locks; Ruby threads take it from here and call the listener,
//! outside both. The pins stay until then, and hang from the store as before.
//!
//! What leaves without a call of Ruby's (it expired) has to wake somebody: the
//! store's own Ruby thread reads from a socket, whose other end is the *bell*. It
//! is rung as well when the store is closed, which ends that thread. A forked child makes
//! a new one: its parent's thread reads from the inherited one.
//!
//! Threads are numbered by their bells. A thread that ends withdraws, so that the next call
//! starts another one, but only if its number is still the latest: an older thread, whose
//! bell was replaced, ends without a trace.

use crate::errors;
use crate::methods::{face, key_string};
use crate::reaper::Shelf;
use crate::store::{Opened, opened};
use crate::stored::Stored;
use ccache_core::gate::GATE;
use ccache_core::{Cause, Displaced};
use magnus::value::ReprValue;
use magnus::{Error, Module, RArray, RClass, Ruby, Value, method};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::{IntoRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The entries that left one store, in that order.
pub(crate) struct Departures {
    waiting: Mutex<VecDeque<Displaced<Stored>>>,
    /// As many as are waiting, for who has no need to lock.
    count: AtomicUsize,
    bell: Mutex<Option<UnixStream>>,
    /// The process whose thread hears the bell, as [`this_process`] counts them.
    heard_in: AtomicU64,
    /// The number of the latest bell, and of the thread that hears it.
    number: AtomicU64,
}

/// This process, among those that were forked from each other: 1 and up.
fn this_process() -> u64 {
    GATE.incarnation() + 1
}

impl Departures {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            count: AtomicUsize::new(0),
            bell: Mutex::new(None),
            heard_in: AtomicU64::new(0),
            number: AtomicU64::new(0),
        }
    }

    /// Whether a thread of this process waits for the bell, or is about to.
    #[inline]
    pub(crate) fn is_heard(&self) -> bool {
        self.heard_in.load(Ordering::Relaxed) == this_process()
    }

    /// Whether none is waiting.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// The caller is inside the gate.
    pub(crate) fn push_inside(&self, displaced: Displaced<Stored>) {
        self.waiting.lock().push_back(displaced);
        self.count.fetch_add(1, Ordering::Release);
    }

    /// The caller is outside the gate.
    pub(crate) fn push_all(&self, displaced: Vec<Displaced<Stored>>) {
        let _inside = GATE.enter();
        let mut waiting = self.waiting.lock();
        self.count.fetch_add(displaced.len(), Ordering::Release);
        waiting.extend(displaced);
    }

    /// Drops what nobody can be told of any more: the store was collected. The caller is
    /// inside the gate.
    pub(crate) fn drop_inside(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        self.count.store(0, Ordering::Release);
        drop(waiting);
    }

    fn pop(&self) -> Option<Displaced<Stored>> {
        let _inside = GATE.enter();
        let displaced = self.waiting.lock().pop_front()?;
        self.count.fetch_sub(1, Ordering::Release);
        Some(displaced)
    }

    /// Wakes the store's thread. A socket that is full has a wake-up in it already.
    pub(crate) fn ring(&self) {
        if !self.is_empty() {
            self.wake();
        }
    }

    /// The same if nothing left: for the thread to see that the store is gone or closed.
    pub(crate) fn wake(&self) {
        let _inside = GATE.enter();
        if let Some(mut bell) = self.bell.lock().as_ref() {
            let _ = bell.write(&[0]); // which does not block
        }
    }

    /// Makes a bell for the thread that is about to start: the descriptor to read from, and
    /// the thread's number. With the GVL: no two threads make one for the same process.
    fn make_bell(&self) -> io::Result<(RawFd, u64)> {
        let (hearer, bell) = UnixStream::pair()?;
        hearer.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        let replaced = {
            let _inside = GATE.enter();
            self.bell.lock().replace(bell)
        };
        drop(replaced); // wakes an older thread, which ends
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        self.heard_in.store(this_process(), Ordering::Relaxed);
        self.ring(); // what left before somebody heard it
        Ok((hearer.into_raw_fd(), number))
    }

    /// The thread of this number hears no more. With the GVL.
    fn withdraw(&self, number: u64) {
        if self.number.load(Ordering::Relaxed) == number {
            self.heard_in.store(0, Ordering::Relaxed);
        }
    }
}

/// Tells the listener, if the store has one, what left it. The last thing that a method
/// does: this may run any Ruby code. What it raises is a kill or the like, and leaves
/// the rest to the next call.
#[inline]
pub(crate) fn tell(store: Value, shelf: &Shelf) -> Result<(), Error> {
    match shelf.departures() {
        Some(departures) if !departures.is_empty() => {
            face(store, c"_tell_departures", &[]).map(|_| ())
        }
        _ => Ok(()),
    }
}

/// Sees to it that there is a thread for what leaves without a call. If one cannot be
/// started now, the next call tries again; a kill or the like that comes meanwhile is
/// passed on.
#[cold]
pub(crate) fn listen(store: Value) -> Result<(), Error> {
    face(store, c"_listen", &[]).map(|_| ())
}

fn of(opened: &Opened) -> Option<&Departures> {
    opened.shelf.departures()
}

/// The next that left: `[key, value, cause]`, or nil. Also of a closed store. If the
/// value cannot be decoded, this raises, and the next call goes on.
fn next_departure(ruby: &Ruby, store: Value) -> Result<Option<RArray>, Error> {
    let (live, opened) = opened(&store)?;
    let Some(Displaced { entry, cause }) = of(opened).and_then(Departures::pop) else {
        return Ok(None);
    };
    let key = key_string(ruby, entry.key());
    let taken = entry.value().take(&live);
    drop(entry); // no frame owns it while Ruby decodes
    let value = taken.into_object(&live, key.as_value())?;
    let departed = ruby.ary_new_capa(3);
    departed.push(key)?;
    departed.push(value)?;
    departed.push(ruby.to_symbol(name(cause)))?;
    Ok(Some(departed))
}

fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::Size => "size",
        Cause::Expired => "expired",
        Cause::Replaced => "replaced",
        Cause::Deleted => "deleted",
        Cause::Cleared => "cleared",
    }
}

/// `[descriptor to read from, number]` for the store's thread that is about to start; nil if
/// there is one already.
fn make_bell(ruby: &Ruby, store: Value) -> Result<Option<RArray>, Error> {
    let (live, opened) = opened(&store)?;
    let Some(departures) = of(opened).filter(|departures| !departures.is_heard()) else {
        return Ok(None);
    };
    let pair = ruby.ary_new_capa(2); // before there is a descriptor to lose
    let (hearer, number) = departures
        .make_bell()
        .map_err(|error| errors::no_bell(ruby, &error))?;
    if live.store().is_closed() {
        departures.wake(); // closed since this call began: the thread ends
    }
    pair.push(hearer)?;
    pair.push(number)?;
    Ok(Some(pair))
}

/// The store's thread of this number has ended, or did not start: the next call starts
/// another one.
fn unheard(store: Value, number: u64) -> Result<(), Error> {
    let (_live, opened) = opened(&store)?;
    if let Some(departures) = of(opened) {
        departures.withdraw(number);
    }
    Ok(())
}

/// Gives back the pins of segments that were left behind by what departed.
fn tidy(store: Value) -> Result<(), Error> {
    let (live, _) = opened(&store)?;
    crate::pin_list::PinList::tidy(&live)
}

pub(crate) fn init(store: RClass) -> Result<(), Error> {
    store.define_private_method("_next_departure", method!(next_departure, 0))?;
    store.define_private_method("_make_bell", method!(make_bell, 0))?;
    store.define_private_method("_unheard", method!(unheard, 1))?;
    store.define_private_method("_tidy", method!(tidy, 0))?;
    Ok(())
}
