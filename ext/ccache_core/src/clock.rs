//! Monotonic time in nanoseconds; the only place that asks for the time.
//!
//! A read of an entry that expires has to know whether its moment has come. To ask the
//! machine's clock for that would take most of the time of a hit. Linux keeps the time of
//! its last tick, some milliseconds ago at most, in memory that it shares with every
//! process: for a moment that is more than [`SLACK`] away from it that is enough, and the
//! clock itself decides all that is nearer.

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

/// How far off a moment has to be to be told by ticks: 50 times as long as the slowest
/// tick, and what a machine that is overcommitted delays one by.
#[cfg(target_os = "linux")]
const SLACK: Nanos = 500_000_000;

#[derive(Debug, Clone)]
enum Source {
    Machine { origin: Instant, ticks: Ticks },
    Manual { now: Arc<AtomicU64> },
}

impl Clock {
    /// The machine's monotonic clock, starting at 0.
    pub fn machine() -> Self {
        Self(Source::Machine {
            origin: Instant::now(),
            ticks: Ticks::start(),
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
            Source::Machine { origin, .. } => origin.elapsed().as_nanos() as Nanos,
            Source::Manual { now } => now.load(Ordering::SeqCst),
        }
    }

    /// Whether `moment` has come.
    #[inline]
    pub fn has_reached(&self, moment: Nanos) -> bool {
        match &self.0 {
            Source::Machine { ticks, .. } if ticks.is_far_off(moment) => false,
            _ => moment <= self.now(),
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

/// The time of the system's last tick (`CLOCK_MONOTONIC_COARSE`), which is never ahead.
#[derive(Debug, Clone)]
struct Ticks {
    #[cfg(target_os = "linux")]
    origin: Nanos,
}

#[cfg(target_os = "linux")]
impl Ticks {
    fn start() -> Self {
        Self {
            origin: Self::last(),
        }
    }

    /// Nanoseconds since the machine's start.
    #[inline]
    #[allow(clippy::cast_sign_loss)] // monotonic time is never negative
    fn last() -> Nanos {
        use rustix::time::{ClockId, clock_gettime};

        let last = clock_gettime(ClockId::MonotonicCoarse);
        last.tv_sec as Nanos * 1_000_000_000 + last.tv_nsec as Nanos
    }

    #[inline]
    fn is_far_off(&self, moment: Nanos) -> bool {
        Self::last() - self.origin + SLACK < moment
    }
}

/// Other systems are always asked for the time itself.
#[cfg(not(target_os = "linux"))]
impl Ticks {
    fn start() -> Self {
        Self {}
    }

    #[inline]
    fn is_far_off(&self, _moment: Nanos) -> bool {
        false
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
    fn a_moment_is_reached_when_the_clock_says_so_and_not_before() {
        let clock = Clock::machine();
        for ahead in [0, 1_000_000, 600_000_000, 3_600_000_000_000] {
            let moment = clock.now() + ahead;
            let reached = clock.has_reached(moment);
            assert!(!reached || clock.now() >= moment, "{ahead} ns too early");
        }
        let moment = clock.now() + 700_000_000;
        while clock.now() < moment {
            std::hint::spin_loop();
        }
        assert!(clock.has_reached(moment));
        assert!(!clock.has_reached(NEVER));
    }

    #[test]
    fn a_manual_clock_reaches_a_moment_at_once() {
        let clock = Clock::manual();
        assert!(clock.has_reached(0));
        assert!(!clock.has_reached(1));
        clock.advance(Duration::from_nanos(1));
        assert!(clock.has_reached(1));
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
