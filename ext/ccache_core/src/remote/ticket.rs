//! What a waiting thread is woken by: its answer, or its turn.

use crate::clock::{Clock, Nanos};
use parking_lot::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// One waiting thread's place.
pub(crate) struct Ticket<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
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
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                return Woken::TimedOut;
            }
            self.changed
                .wait_for(&mut state, Duration::from_nanos(left));
        }
    }
}
