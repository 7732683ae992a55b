//! The reaper: one native thread per process that drops what nobody waits for.
//!
//! It removes expired entries when their time comes, and clears the map of a
//! store that the GC has collected: with a million entries that takes a while,
//! and a sweep must not wait for it (G6). It never touches Ruby; dropping an
//! entry unpins it with atomic stores alone, inside the gate, so that a fork finds
//! an entry either in the map or gone.
//!
//! A store's free callback only marks its shelf as orphaned and wakes the reaper:
//! no lock, no allocation. The thread starts with the first store; a forked child
//! has none until one of its methods sees that and starts it (`ensure_running`).

use crate::departures::Departures;
use crate::remote::Link;
use crate::stored::Stored;
use ccache_core::gate::GATE;
use ccache_core::{Cache, Cause, Condition, Displaced, NEVER, Removed};
use parking_lot::Mutex;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// The map of one store, and its connections.
pub(crate) struct Shelf {
    cache: Cache<Stored>,
    /// The server, if there is one.
    link: Option<Link>,
    /// What left the map, if somebody wants to know.
    departures: Option<Departures>,
    is_orphaned: AtomicBool,
}

impl Shelf {
    pub(crate) fn new(
        cache: Cache<Stored>,
        link: Option<Link>,
        departures: Option<Departures>,
    ) -> Arc<Self> {
        Arc::new(Self {
            cache,
            link,
            departures,
            is_orphaned: AtomicBool::new(false),
        })
    }

    pub(crate) fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    #[inline]
    pub(crate) fn departures(&self) -> Option<&Departures> {
        self.departures.as_ref()
    }

    /// Hands on what left the map, or drops it if nobody wants to know. For what calls
    /// back inside the gate.
    pub(crate) fn depart(&self, displaced: Displaced<Stored>) {
        match &self.departures {
            Some(departures) => departures.push_inside(displaced),
            None => drop(displaced),
        }
    }

    /// The same, outside the gate.
    #[inline]
    pub(crate) fn depart_all(&self, displaced: Vec<Displaced<Stored>>) {
        match &self.departures {
            Some(departures) if !displaced.is_empty() => departures.push_all(displaced),
            _ => drop(displaced),
        }
    }

    /// For what leaves while nobody is about to tell of it.
    pub(crate) fn ring(&self) {
        if let Some(departures) = &self.departures {
            departures.ring();
        }
    }

    /// Removes `key` if the condition holds, and hands on what that took out.
    pub(crate) fn take_out(&self, key: &[u8], condition: &Condition) -> Removed<Stored> {
        let removed = self.cache.remove(key, condition);
        if self.departures.is_some() {
            let (entry, cause) = match &removed {
                Removed::Entry(entry) => (entry, Cause::Deleted),
                Removed::Expired(entry) => (entry, Cause::Expired),
                Removed::Absent | Removed::PreconditionFailed => return removed,
            };
            let entry = Arc::clone(entry);
            self.depart_all(vec![Displaced { entry, cause }]);
        }
        removed
    }

    /// Leaves the map to the reaper: no store uses it any more.
    pub(crate) fn abandon(&self) {
        self.is_orphaned.store(true, Ordering::Release);
    }

    fn is_orphaned(&self) -> bool {
        self.is_orphaned.load(Ordering::Acquire)
    }
}

impl Deref for Shelf {
    type Target = Cache<Stored>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.cache
    }
}

/// Every map of this process. Locked inside the gate, for moments.
static SHELVES: Mutex<Vec<Arc<Shelf>>> = Mutex::new(Vec::new());

static IS_RUNNING: AtomicBool = AtomicBool::new(false);

/// The thread to wake. Set once per process and leaked (some bytes per fork
/// generation), since a free callback may be about to use it.
static THREAD: AtomicPtr<Thread> = AtomicPtr::new(std::ptr::null_mut());

/// Takes part in the care for `shelf`, and starts the thread if need be.
pub(crate) fn adopt(shelf: &Arc<Shelf>) -> io::Result<()> {
    ensure_running()?;
    let _inside = GATE.enter();
    SHELVES.lock().push(Arc::clone(shelf));
    Ok(())
}

/// Starts the thread unless it runs. Every method of a store asks.
#[inline]
pub(crate) fn ensure_running() -> io::Result<()> {
    if IS_RUNNING.load(Ordering::Relaxed) {
        Ok(())
    } else {
        start()
    }
}

/// Wakes the thread. Lock-free, allocates nothing: for free callbacks too.
pub(crate) fn wake() {
    // SAFETY: the pointer is null or a leaked `Thread`.
    if let Some(thread) = unsafe { THREAD.load(Ordering::Acquire).as_ref() } {
        thread.unpark();
    }
}

/// In a child right after the fork: its parent's thread is not here.
pub(crate) fn forget_thread_of_parent() {
    THREAD.store(std::ptr::null_mut(), Ordering::Release);
    IS_RUNNING.store(false, Ordering::Release);
}

/// How many maps there are, those included that are about to be dropped.
#[cfg(feature = "testing")]
pub(crate) fn maps() -> usize {
    let _inside = GATE.enter();
    SHELVES.lock().len()
}

#[cold]
fn start() -> io::Result<()> {
    if IS_RUNNING.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    let started = without_signals(|| {
        thread::Builder::new()
            .name("ccache-reaper".into())
            .spawn(run)
    });
    match started {
        Ok(handle) => {
            let thread: &Thread = Box::leak(Box::new(handle.thread().clone()));
            THREAD.store(std::ptr::from_ref(thread).cast_mut(), Ordering::Release);
            thread.unpark(); // for a wake-up that came before it could be woken
            Ok(())
        }
        Err(error) => {
            IS_RUNNING.store(false, Ordering::Release);
            Err(error)
        }
    }
}

/// Spawns with all signals blocked, so that they go to Ruby's threads.
fn without_signals<T>(spawn: impl FnOnce() -> T) -> T {
    // SAFETY: plain libc calls on sets of this frame; the mask is put back.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let spawned = spawn();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        spawned
    }
}

fn run() {
    for shelf in shelves() {
        shelf.bury(|displaced| shelf.depart(displaced)); // a `clear` that the parent was in the middle of
        shelf.ring();
    }
    loop {
        let pause = shelves().iter().filter_map(tend).min();
        // A wake-up that came since is kept by the thread's token.
        match pause {
            Some(pause) => thread::park_timeout(pause),
            None => thread::park(),
        }
    }
}

fn shelves() -> Vec<Arc<Shelf>> {
    let _inside = GATE.enter();
    SHELVES.lock().clone()
}

/// Clears an orphan, and expires what is due: the time until there is more to do,
/// if there will be.
fn tend(shelf: &Arc<Shelf>) -> Option<Duration> {
    if shelf.is_orphaned() {
        shelf.clear(drop);
        if let Some(departures) = shelf.departures() {
            departures.wake(); // its thread ends
        }
        let _inside = GATE.enter();
        if let Some(departures) = shelf.departures() {
            departures.drop_inside();
        }
        SHELVES.lock().retain(|other| !Arc::ptr_eq(other, shelf));
        return None;
    }
    let mut next = shelf.next_expiry();
    if next <= shelf.clock().now() {
        next = shelf.expire_due(|displaced| shelf.depart(displaced));
        shelf.ring();
    }
    (next != NEVER).then(|| Duration::from_nanos(next.saturating_sub(shelf.clock().now())))
}
