//! `Ccache::Testing`: what specs need and no user may have. Not in the gem:
//! compiled with the cargo feature `testing` alone.

use crate::gvl::without_gvl;
use crate::heap;
use crate::pin_list::PinList;
use crate::reaper::{self, Shelf};
use crate::store;
use crate::stored::Stored;
use ccache_core::gate::GATE;
use ccache_core::{Condition, Entry, Removed};
use magnus::{Error, Module, Object, RModule, RString, Ruby, Value, function};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// Native threads at work on a store.
struct Hammer {
    stop: Arc<AtomicBool>,
    steps: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

static HAMMERS: Mutex<Vec<Hammer>> = Mutex::new(Vec::new());

/// Starts native threads that, without the GVL, read, hold on to, remove, list
/// and expire the entries of the keys "0" to "keys - 1" until `stop_hammering`.
fn hammer(store: Value, threads: usize, keys: u64) -> Result<(), Error> {
    let shelf = store::shelf(store)?;
    let stop = Arc::new(AtomicBool::new(false));
    let steps = Arc::new(AtomicU64::new(0));
    let threads = (0..threads as u64)
        .map(|seed| {
            let (shelf, stop, steps) = (Arc::clone(&shelf), Arc::clone(&stop), Arc::clone(&steps));
            thread::spawn(move || {
                let mut random = 0x9e37_79b9_7f4a_7c15 ^ (seed + 1);
                let mut held = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    strike(&shelf, next(&mut random), keys, &mut held);
                    steps.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    HAMMERS.lock().push(Hammer {
        stop,
        steps,
        threads,
    });
    Ok(())
}

fn strike(shelf: &Shelf, random: u64, keys: u64, held: &mut Vec<Arc<Entry<Stored>>>) {
    let key = (random % keys).to_string();
    match random >> 32 & 1023 {
        0 => _ = shelf.expire_due(drop),
        1 => *held = shelf.entries(),
        2..100 => held.clear(),
        100..400 => held.extend(shelf.peek(key.as_bytes())),
        400..700 => {
            if let Removed::Entry(entry) = shelf.remove(key.as_bytes(), &Condition::Always) {
                drop(entry); // unpins here
            }
        }
        _ => {
            let lease = shelf.take_lease(key.as_bytes());
            shelf.give_back_lease(key.as_bytes(), lease);
        }
    }
}

/// xorshift64* (Vigna, 2014).
fn next(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

/// How many steps the native threads have done so far.
fn hammer_steps() -> u64 {
    let hammers = HAMMERS.lock();
    hammers
        .iter()
        .map(|hammer| hammer.steps.load(Ordering::Relaxed))
        .sum()
}

/// Stops and joins all native threads; how many steps they did.
fn stop_hammering(ruby: &Ruby) -> Result<u64, Error> {
    let hammers = std::mem::take(&mut *HAMMERS.lock());
    without_gvl(ruby, move || {
        let mut steps = 0;
        for hammer in hammers {
            hammer.stop.store(true, Ordering::Relaxed);
            for thread in hammer.threads {
                assert!(thread.join().is_ok(), "a native thread panicked");
            }
            steps += hammer.steps.load(Ordering::Relaxed);
        }
        steps
    })
}

/// Forgets an entry, and with it its pin: `mem::forget` of an `Arc<Entry>`.
fn forget_entry(store: Value, key: RString) -> Result<bool, Error> {
    let shelf = store::shelf(store)?;
    // SAFETY: the key is an argument; the look-up calls no Ruby.
    let entry = shelf.peek(unsafe { key.as_slice() });
    let found = entry.is_some();
    std::mem::forget(entry);
    Ok(found)
}

/// Pins an object and forgets the handle.
fn forget_pin(store: Value, object: Value) -> Result<(), Error> {
    let handle = PinList::pin(&store::live(&store)?, object)?;
    std::mem::forget(handle);
    Ok(())
}

/// Enters the fork gate for good.
fn forget_gate() {
    std::mem::forget(GATE.enter());
}

/// How many leases of a store are held.
fn leases(store: Value) -> Result<usize, Error> {
    Ok(store::shelf(store)?.leases())
}

/// Holds the lock of a pin list's structure on a native thread for a while;
/// returns once it is held.
fn hold_structure(ruby: &Ruby, store: Value, milliseconds: u64) -> Result<(), Error> {
    let live = store::live(&store)?;
    let structure = PinList::of(&live).structure();
    let (held, is_held) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let guard = structure.lock();
        let _ = held.send(());
        thread::sleep(std::time::Duration::from_millis(milliseconds));
        drop(guard);
    });
    without_gvl(ruby, move || _ = is_held.recv())
}

/// Checks all that a store's map knows about itself, while nobody is inside.
fn validate(ruby: &Ruby, store: Value) -> Result<(), Error> {
    let shelf = store::shelf(store)?;
    without_gvl(ruby, move || {
        GATE.close();
        while GATE.is_occupied() {
            thread::yield_now();
        }
        let checked = catch_unwind(AssertUnwindSafe(|| shelf.validate()));
        GATE.open();
        if let Err(panic) = checked {
            resume_unwind(panic);
        }
    })
}

/// How many live entries hold a pin: the others' values are immediate or encoded.
fn pinned_entries(store: Value) -> Result<usize, Error> {
    let entries = store::shelf(store)?.entries();
    let is_pinned = |entry: &&Arc<Entry<Stored>>| matches!(entry.value(), Stored::Pinned(_));
    Ok(entries.iter().filter(is_pinned).count())
}

/// How many maps the reaper cares for.
fn maps() -> usize {
    reaper::maps()
}

/// Whether a handle of one store gives its object to the proof of another.
fn roots_across_stores(one: Value, other: Value, object: Value) -> Result<bool, Error> {
    let handle = PinList::pin(&store::live(&one)?, object)?;
    Ok(handle.root(&store::live(&other)?).is_some())
}

/// Gives what malloc holds in reserve back to the system.
fn give_back_memory(ruby: &Ruby) -> Result<(), Error> {
    without_gvl(ruby, heap::give_back)
}

/// Bytes that malloc has given out and not got back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn malloc_bytes() -> usize {
    // SAFETY: it reads malloc's books, and takes malloc's own locks alone.
    let books = unsafe { libc::mallinfo2() };
    books.uordblks + books.hblkhd
}

/// Other allocators keep other books.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn malloc_bytes() -> usize {
    0
}

/// Panics without the GVL.
fn panic_without_gvl(ruby: &Ruby) -> Result<(), Error> {
    without_gvl(ruby, || panic!("on purpose"))
}

/// Waits without the GVL.
fn sleep_without_gvl(ruby: &Ruby, milliseconds: u64) -> Result<(), Error> {
    without_gvl(ruby, move || {
        thread::sleep(std::time::Duration::from_millis(milliseconds));
    })
}

pub(crate) fn init(_ruby: &Ruby, ccache: RModule) -> Result<(), Error> {
    let testing = ccache.define_module("Testing")?;
    testing.define_singleton_method("hammer", function!(hammer, 3))?;
    testing.define_singleton_method("hammer_steps", function!(hammer_steps, 0))?;
    testing.define_singleton_method("stop_hammering", function!(stop_hammering, 0))?;
    testing.define_singleton_method("forget_entry", function!(forget_entry, 2))?;
    testing.define_singleton_method("forget_pin", function!(forget_pin, 2))?;
    testing.define_singleton_method("forget_gate", function!(forget_gate, 0))?;
    testing.define_singleton_method("leases", function!(leases, 1))?;
    testing.define_singleton_method("hold_structure", function!(hold_structure, 2))?;
    testing.define_singleton_method("pinned_entries", function!(pinned_entries, 1))?;
    testing.define_singleton_method("validate", function!(validate, 1))?;
    testing.define_singleton_method("maps", function!(maps, 0))?;
    testing.define_singleton_method("roots_across_stores", function!(roots_across_stores, 3))?;
    testing.define_singleton_method("give_back_memory", function!(give_back_memory, 0))?;
    testing.define_singleton_method("malloc_bytes", function!(malloc_bytes, 0))?;
    testing.define_singleton_method("panic_without_gvl", function!(panic_without_gvl, 0))?;
    testing.define_singleton_method("sleep_without_gvl", function!(sleep_without_gvl, 1))?;
    Ok(())
}
