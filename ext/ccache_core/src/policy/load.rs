//! How much a cache may keep, and how much it keeps: entries and their weight.

use crate::entry::MAX_WEIGHT;
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::{AddAssign, SubAssign};

/// The most that a cache keeps; no bound where there is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Of entries.
    pub max_entries: Option<NonZeroUsize>,
    /// Of all entries' weight together.
    pub max_bytes: Option<NonZeroU64>,
}

/// A number of entries and their weight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
}

impl Load {
    /// One entry of so much weight.
    pub(crate) fn one(bytes: u64) -> Self {
        Self { entries: 1, bytes }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
    }
}

impl SubAssign for Load {
    fn sub_assign(&mut self, other: Self) {
        self.entries -= other.entries;
        self.bytes -= other.bytes;
    }
}

impl Bounds {
    /// Whether there is any bound.
    pub fn is_bounded(&self) -> bool {
        self.max_entries.is_some() || self.max_bytes.is_some()
    }

    pub(crate) fn allow(&self, load: Load) -> bool {
        self.max_entries.is_none_or(|max| load.entries <= max.get())
            && self.max_bytes.is_none_or(|max| load.bytes <= max.get())
    }

    /// Whether an entry of so much weight fits at all.
    pub(crate) fn admit(&self, bytes: u64) -> bool {
        self.max_bytes
            .is_none_or(|max| bytes <= max.get().min(MAX_WEIGHT.into()))
    }

    /// `load` as a share of the bound that it comes closer to.
    #[allow(clippy::cast_precision_loss)] // a share need not be exact
    pub(crate) fn share(&self, load: Load) -> f64 {
        let of_entries = self
            .max_entries
            .map_or(0.0, |max| load.entries as f64 / max.get() as f64);
        let of_bytes = self
            .max_bytes
            .map_or(0.0, |max| load.bytes as f64 / max.get() as f64);
        of_entries.max(of_bytes)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_load_is_allowed_if_both_bounds_allow_it() {
        let bounds = Bounds {
            max_entries: NonZeroUsize::new(2),
            max_bytes: NonZeroU64::new(10),
        };
        let allows = |entries, bytes| bounds.allow(Load { entries, bytes });
        assert!(allows(2, 10));
        assert!(!allows(3, 10));
        assert!(!allows(2, 11));
        assert!(Bounds::default().allow(Load::one(u64::MAX)));
    }

    #[test]
    fn a_share_is_that_of_the_tighter_bound() {
        let bounds = Bounds {
            max_entries: NonZeroUsize::new(4),
            max_bytes: NonZeroU64::new(10),
        };
        assert!((bounds.share(Load::one(1)) - 0.25).abs() < f64::EPSILON);
        assert!((bounds.share(Load::one(5)) - 0.5).abs() < f64::EPSILON);
    }
}
