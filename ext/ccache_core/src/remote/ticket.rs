//! What a waiting thread is woken by: its answer, or its turn.
//!
//! Threads sleep here outside of the fork gate. So this is the standard library's
//! condition, a futex of its own: parking_lot's sleeping threads stand in a table of
//! the process, which a forked child would inherit with threads in it that are gone.

use crate::clock::{Clock, Nanos};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
    is_away: bool,
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
                is_away: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Nothing that is done under the lock can panic half-way.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, answer: T) {
        self.state().answer = Some(answer);
        self.changed.notify_one();
    }

    /// Tells the thread to look whether there is work for it: whether it will. If not,
    /// somebody else is to be called.
    pub(crate) fn call(&self) -> bool {
        let mut state = self.state();
        if state.is_away {
            return false;
        }
        state.is_called = true;
        drop(state);
        self.changed.notify_one();
        true
    }

    /// The thread is elsewhere, for now or for good, and does not look. So it is, too,
    /// once a wait timed out.
    pub(crate) fn leave(&self) {
        self.state().is_away = true;
    }

    /// The thread is back; it has yet to look whether there is work.
    pub(crate) fn attend(&self) {
        self.state().is_away = false;
    }

    pub(crate) fn is_attended(&self) -> bool {
        !self.state().is_away
    }

    /// The answer, if it is here.
    pub(crate) fn take_answer(&self) -> Option<T> {
        self.state().answer.take()
    }

    /// After a call, the thread looks whether there is work.
    pub(crate) fn wait(&self, until: Nanos, clock: &Clock) -> Woken<T> {
        for _ in 0..YIELDS {
            if let Some(woken) = self.state().news() {
                return woken;
            }
            thread::yield_now();
        }
        let mut state = self.state();
        loop {
            if let Some(woken) = state.news() {
                return woken;
            }
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                state.is_away = true;
                return Woken::TimedOut;
            }
            let waited = self.changed.wait_timeout(state, Duration::from_nanos(left));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
