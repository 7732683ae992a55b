//! What one thread did, for the log line of a request.
//!
//! Counted by thread and not by store, since a request uses the stores that it uses;
//! and natively, so that a hit stays one native call. Nobody who does not ask for it
//! pays more than the look at a flag.

use magnus::{Error, Module, Object, RModule, function};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Set once, and inherited by forked children.
static IS_KEPT: AtomicBool = AtomicBool::new(false);

thread_local! {
    static TALLY: Cell<Tally> = const { Cell::new(Tally::NONE) };
}

#[derive(Clone, Copy)]
struct Tally {
    reads: u64,
    not_modified: u64,
    loads: u64,
    waited_ns: u64,
}

impl Tally {
    const NONE: Self = Self {
        reads: 0,
        not_modified: 0,
        loads: 0,
        waited_ns: 0,
    };
}

/// A read that memory answered, or that found nothing.
#[inline]
pub(crate) fn read() {
    add(|tally| tally.reads += 1);
}

/// A read that the server answered with "not modified".
pub(crate) fn not_modified() {
    add(|tally| {
        tally.reads += 1;
        tally.not_modified += 1;
    });
}

/// A read that brought its value from the server.
pub(crate) fn transfer() {
    add(|tally| {
        tally.reads += 1;
        tally.loads += 1;
    });
}

/// A value that a block loaded.
pub(crate) fn load() {
    add(|tally| tally.loads += 1);
}

/// Runs `wait`, a wait for the server.
pub(crate) fn timing<T>(wait: impl FnOnce() -> T) -> T {
    let started = IS_KEPT.load(Ordering::Relaxed).then(Instant::now);
    let result = wait();
    if let Some(started) = started {
        let waited = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        add(|tally| tally.waited_ns = tally.waited_ns.saturating_add(waited));
    }
    result
}

#[inline]
fn add(count: impl FnOnce(&mut Tally)) {
    if IS_KEPT.load(Ordering::Relaxed) {
        TALLY.with(|cell| {
            let mut tally = cell.get();
            count(&mut tally);
            cell.set(tally);
        });
    }
}

/// From now on every thread counts.
fn keep() {
    IS_KEPT.store(true, Ordering::Relaxed);
}

/// What this thread counted since it was asked last: reads, those not modified, loads,
/// and nanoseconds of waiting for servers.
fn take() -> (u64, u64, u64, u64) {
    let tally = TALLY.replace(Tally::NONE);
    (
        tally.reads,
        tally.not_modified,
        tally.loads,
        tally.waited_ns,
    )
}

pub(crate) fn init(ccache: RModule) -> Result<(), Error> {
    let tally = ccache.define_module("Tally")?;
    tally.define_singleton_method("keep", function!(keep, 0))?;
    tally.define_singleton_method("take", function!(take, 0))?;
    Ok(())
}
