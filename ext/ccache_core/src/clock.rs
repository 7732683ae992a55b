//! Monotonic time in nanoseconds; the only place that asks for the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A moment: nanoseconds since the clock was made.
pub type Nanos = u64;

/// "Never", as a deadline.
pub const NEVER: Nanos = Nanos::MAX;

/// The machine's monotonic clock, or one that a test moves by hand.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Machine { origin: Instant },
    Manual { now: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's monotonic clock, starting at 0.
    pub fn machine() -> Self {
        Self(Source::Machine {
            origin: Instant::now(),
        })
    }

    /// A clock that stands still at 0 until it is [advanced](Self::advance).
    pub fn manual() -> Self {
        Self(Source::Manual {
            now: Arc::new(AtomicU64::new(0)),
        })
    }

    /// The time now.
    #[inline]
    pub fn now(&self) -> Nanos {
        match &self.0 {
            // 2^64 ns are 584 years.
            #[allow(clippy::cast_possible_truncation)]
            Source::Machine { origin } => origin.elapsed().as_nanos() as Nanos,
            Source::Manual { now } => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock, and all its clones, forward.
    ///
    /// # Panics
    ///
    /// On the machine's clock, which nobody can move.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            Source::Machine { .. } => panic!("the machine's clock cannot be advanced"),
            #[allow(clippy::cast_possible_truncation)]
            Source::Manual { now } => {
                now.fetch_add(by.as_nanos() as Nanos, Ordering::SeqCst);
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_does_not_go_back() {
        let clock = Clock::machine();
        let first = clock.now();
        assert!(clock.now() >= first);
    }

    #[test]
    fn a_manual_clock_moves_when_told_and_its_clones_with_it() {
        let clock = Clock::manual();
        let clone = clock.clone();
        assert_eq!(clone.now(), 0);
        clock.advance(Duration::from_secs(2));
        assert_eq!(clone.now(), 2_000_000_000);
    }
}
