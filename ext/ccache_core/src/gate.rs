//! The fork gate: no thread is inside the map while the process forks.
//!
//! A child of `fork` has one thread and a copy of every lock. A lock that another
//! thread held at that moment stays locked in the child for ever, and the tables
//! of parking_lot may have been caught half-way. So whoever enters the map says
//! so first, and the binding's `pthread_atfork` handlers close the gate, wait until
//! nobody is inside, fork, and open it again on both sides.
//!
//! Entering is one read-modify-write on a striped counter and one load of the
//! gate's state; sequential consistency between the two sides makes either the
//! closer see the thread inside or the thread see the gate closed (Dekker).
//!
//! What is inside must leave without waiting for anything but other threads
//! inside: no Ruby call, no GVL, no I/O (invariant G4).

use crate::sync::{AtomicU32, AtomicU64, AtomicUsize, Ordering, pause};

const OPEN: u32 = 0;
const CLOSED: u32 = 1;

const STRIPES: usize = if cfg!(loom) { 1 } else { 16 };

/// A counter alone on its cache lines.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe(AtomicUsize);

/// See the [module](self).
#[derive(Debug)]
pub struct Gate {
    state: AtomicU32,
    incarnation: AtomicU64,
    inside: [Stripe; STRIPES],
}

/// The gate of this process.
#[cfg(not(loom))]
pub static GATE: Gate = Gate::new();

impl Gate {
    /// An open gate with nobody inside.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self {
            state: AtomicU32::new(OPEN),
            incarnation: AtomicU64::new(0),
            inside: [const { Stripe(AtomicUsize::new(0)) }; STRIPES],
        }
    }

    /// An open gate with nobody inside.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            state: AtomicU32::new(OPEN),
            incarnation: AtomicU64::new(0),
            inside: std::array::from_fn(|_| Stripe(AtomicUsize::new(0))),
        }
    }

    /// Enters; waits while a fork is under way. Not re-entrant: a thread that is
    /// inside must not enter again.
    #[inline]
    pub fn enter(&self) -> Inside<'_> {
        let counter = &self.inside[stripe()].0;
        counter.fetch_add(1, Ordering::SeqCst);
        if self.state.load(Ordering::SeqCst) != OPEN {
            self.step_back_and_wait(counter);
        }
        Inside { counter }
    }

    #[cold]
    fn step_back_and_wait(&self, counter: &AtomicUsize) {
        loop {
            counter.fetch_sub(1, Ordering::SeqCst);
            while self.state.load(Ordering::SeqCst) != OPEN {
                pause();
            }
            counter.fetch_add(1, Ordering::SeqCst);
            if self.state.load(Ordering::SeqCst) == OPEN {
                return;
            }
        }
    }

    /// Closes the gate, for the thread that is about to fork.
    pub fn close(&self) {
        while self
            .state
            .compare_exchange(OPEN, CLOSED, Ordering::SeqCst, Ordering::SeqCst)
            .is_err()
        {
            pause(); // another thread forks at the same time
        }
    }

    /// Whether a thread is inside. Once the gate is closed and this was false,
    /// nobody gets in until it opens; who comes meanwhile is counted for the
    /// moment that it takes to step back.
    pub fn is_occupied(&self) -> bool {
        self.inside
            .iter()
            .any(|stripe| stripe.0.load(Ordering::SeqCst) != 0)
    }

    /// Opens the gate in the process that forked.
    pub fn open(&self) {
        self.state.store(OPEN, Ordering::SeqCst);
    }

    /// Opens the gate in the new child, where the calling thread is the only one.
    /// `pid` makes this process's [incarnation](Self::incarnation) its own.
    pub fn open_in_child(&self, pid: u32) {
        for stripe in &self.inside {
            stripe.0.store(0, Ordering::SeqCst);
        }
        let parent = self.incarnation.load(Ordering::Relaxed);
        self.incarnation
            .store(mix(parent ^ u64::from(pid)), Ordering::SeqCst);
        self.open();
    }

    /// A number that every process has for itself: 0 in the first one, scrambled
    /// from the parent's and the process id in each child.
    #[inline]
    pub fn incarnation(&self) -> u64 {
        self.incarnation.load(Ordering::Relaxed)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Threads are told apart by their stacks, a page being the finest difference:
/// cheaper than a thread-local in a shared library, and a collision only costs
/// a shared cache line.
#[cfg(not(loom))]
#[inline]
fn stripe() -> usize {
    let on_the_stack = 0_u8;
    let address = std::ptr::from_ref(&on_the_stack).addr();
    (address >> 16 ^ address >> 20 ^ address >> 23) % STRIPES
}

#[cfg(loom)]
fn stripe() -> usize {
    0
}

/// Proof that the gate counts this thread as inside; leaving is `Drop`.
///
/// Forgetting it makes each later fork wait until its bound and is otherwise harmless.
#[derive(Debug)]
pub struct Inside<'gate> {
    counter: &'gate AtomicUsize,
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::{sync::atomic::AtomicBool, thread};

    #[test]
    fn a_thread_inside_is_seen_until_it_leaves() {
        let gate = Gate::new();
        let inside = gate.enter();
        gate.close();
        assert!(gate.is_occupied());
        drop(inside);
        assert!(!gate.is_occupied());
    }

    #[test]
    fn a_closed_gate_holds_back_who_comes_and_lets_in_once_open() {
        let gate = Gate::new();
        let (has_come, is_open) = (AtomicBool::new(false), AtomicBool::new(false));
        gate.close();
        thread::scope(|scope| {
            scope.spawn(|| {
                has_come.store(true, Ordering::SeqCst);
                let _inside = gate.enter();
                assert!(is_open.load(Ordering::SeqCst));
            });
            while !has_come.load(Ordering::SeqCst) || gate.is_occupied() {
                thread::yield_now();
            }
            is_open.store(true, Ordering::SeqCst);
            gate.open();
        });
        assert!(!gate.is_occupied());
    }

    #[test]
    fn a_child_starts_with_nobody_inside_and_a_number_of_its_own() {
        let (gate, sibling) = (Gate::new(), Gate::new());
        std::mem::forget(gate.enter());
        gate.close();
        gate.open_in_child(7);
        sibling.open_in_child(8);
        assert!(!gate.is_occupied());
        assert_ne!(gate.incarnation(), 0);
        assert_ne!(gate.incarnation(), sibling.incarnation());
    }
}
