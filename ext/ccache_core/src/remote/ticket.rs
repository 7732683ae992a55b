//! What a waiting thread is woken by: its answer, its turn, or an interrupt.

use crate::clock::{Clock, Nanos};
use crate::remote::connection::TICK;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Lets go of a waiting thread, from any other one.
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Interruptible>);

pub(crate) trait Interruptible: Send + Sync {
    fn interrupt(&self);
    fn resume(&self);
}

impl Interrupter {
    pub(crate) fn new(waiting: Arc<dyn Interruptible>) -> Self {
        Self(waiting)
    }

    /// The wait is over when the thread looks next, with nothing lost. One atomic
    /// store, so that a signal handler may do it.
    pub fn interrupt(&self) {
        self.0.interrupt();
    }

    /// Before the thread waits again.
    pub fn resume(&self) {
        self.0.resume();
    }
}

/// One waiting thread's place.
pub(crate) struct Ticket<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Looked at every [`TICK`].
    is_interrupted: AtomicBool,
}

struct State<T> {
    answer: Option<T>,
    is_called: bool,
}

impl<T> State<T> {
    fn news(&mut self) -> Option<Woken<T>> {
        if let Some(answer) = self.answer.take() {
            return Some(Woken::Answered(answer));
        }
        std::mem::take(&mut self.is_called).then_some(Woken::Called)
    }
}

/// How often a thread lets others run before it sleeps: about as long as a server
/// nearby takes. To be put to sleep and woken costs more than that.
const YIELDS: usize = 16;

/// Why a wait is over.
pub(crate) enum Woken<T> {
    /// The answer is here; it is given once.
    Answered(T),
    /// It is this thread's turn to look after the work.
    Called,
    /// Somebody wants the thread elsewhere.
    Interrupted,
    /// The time is over.
    TimedOut,
}

impl<T> Ticket<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                answer: None,
                is_called: false,
            }),
            changed: Condvar::new(),
            is_interrupted: AtomicBool::new(false),
        }
    }

    pub(crate) fn answer(&self, answer: T) {
        self.state.lock().answer = Some(answer);
        self.changed.notify_one();
    }

    /// Tells the thread to look whether there is work for it.
    pub(crate) fn call(&self) {
        self.state.lock().is_called = true;
        self.changed.notify_one();
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.is_interrupted.load(Ordering::Relaxed)
    }

    pub(crate) fn wait(&self, until: Nanos, clock: &Clock) -> Woken<T> {
        for _ in 0..YIELDS {
            thread::yield_now();
            if let Some(woken) = self.state.lock().news() {
                return woken;
            }
        }
        let mut state = self.state.lock();
        loop {
            if let Some(woken) = state.news() {
                return woken;
            }
            if self.is_interrupted() {
                return Woken::Interrupted;
            }
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                return Woken::TimedOut;
            }
            let slice = Duration::from_nanos(left).min(TICK);
            self.changed.wait_for(&mut state, slice);
        }
    }
}

impl<T: Send> Interruptible for Ticket<T> {
    fn interrupt(&self) {
        self.is_interrupted.store(true, Ordering::Relaxed);
    }

    fn resume(&self) {
        self.is_interrupted.store(false, Ordering::Relaxed);
    }
}
