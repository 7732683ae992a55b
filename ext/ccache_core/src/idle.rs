//! How long ago an entry was last used, for caches whose entries go when nobody reads
//! them. An entry has 30 bits for it, beside its count of uses: moments in units of
//! about a millionth of the time that an entry may be idle, and modulo a thousand of
//! such times. An entry is visited once in each, by the [timer wheel](crate::expiry). (A
//! process that was stopped for a thousand may keep one that was idle for another.)

use crate::clock::Nanos;

const BITS: u32 = 30;
const MOMENTS: u64 = 1 << BITS;

/// So many units at least are in the time that an entry may be idle, if it is not so
/// short that a unit is a nanosecond.
const UNITS: u64 = 1 << 20;

/// A moment, modulo [`MOMENTS`].
pub(crate) type Moment = u32;

/// How long entries may be idle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// Nanoseconds.
    unit: Nanos,
    /// In units.
    limit: u64,
}

impl Idle {
    pub(crate) fn new(time: Nanos) -> Self {
        let unit = time.div_ceil(UNITS).max(1);
        let limit = time.div_ceil(unit);
        Self { unit, limit }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // 30 bits
    pub(crate) fn moment(self, now: Nanos) -> Moment {
        (now / self.unit % MOMENTS) as Moment
    }

    /// Whether an entry has been idle for too long: never early, and late by less
    /// than two units.
    #[inline]
    pub(crate) fn is_over(self, used: Moment, now: Nanos) -> bool {
        self.age(used, now) > self.limit
    }

    /// When that will be, if nobody uses the entry until then.
    pub(crate) fn deadline(self, used: Moment, now: Nanos) -> Nanos {
        let left = (self.limit + 1).saturating_sub(self.age(used, now));
        (now / self.unit)
            .saturating_add(left)
            .saturating_mul(self.unit)
    }

    /// In units. A use that is later than `now` was by another thread, just now.
    fn age(self, used: Moment, now: Nanos) -> u64 {
        let age = (MOMENTS + u64::from(self.moment(now)) - u64::from(used)) % MOMENTS;
        if age > MOMENTS - UNITS { 0 } else { age }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_entry_is_idle_for_its_time_and_two_units_at_most(
            time in 1_u64..1 << 60,
            used_at in 0_u64..1 << 60,
            after in 0.0..900.0,
        ) {
            let idle = Idle::new(time);
            let used = idle.moment(used_at);
            #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
            let after = (after * time as f64) as Nanos;
            let now = used_at.saturating_add(after);
            let after = now - used_at;
            if after <= time {
                prop_assert!(!idle.is_over(used, now));
            } else if after >= time + 2 * idle.unit {
                prop_assert!(idle.is_over(used, now));
            }
            let deadline = idle.deadline(used, now);
            if !idle.is_over(used, now) && deadline != Nanos::MAX / idle.unit * idle.unit {
                prop_assert!(deadline > now);
                prop_assert!(idle.is_over(used, deadline));
                prop_assert!(deadline - used_at <= time + 2 * idle.unit);
            }
        }

        #[test]
        fn a_use_that_came_a_little_later_is_no_old_one(
            time in 1_000_000_000_u64..1 << 50,
            now in 0_u64..1 << 50,
            later in 0_u64..1_000_000_000,
        ) {
            let idle = Idle::new(time);
            prop_assert!(!idle.is_over(idle.moment(now + later), now));
        }
    }
}
