//! The atomics used by the hand-made concurrent parts ([`slots`](crate::slots)
//! and [`gate`](crate::gate)): std's, or loom's when its model checker runs.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Arc,
    atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Lets another thread run: the whole wait of a spinning thread under loom.
#[cfg(loom)]
pub(crate) fn pause() {
    loom::thread::yield_now();
}

/// Lets another thread run: a sleep, since what is waited for may be a fork.
#[cfg(not(loom))]
pub(crate) fn pause() {
    std::thread::sleep(std::time::Duration::from_micros(50));
}
