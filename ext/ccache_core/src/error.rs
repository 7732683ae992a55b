//! Why a write was refused.

use std::fmt;

/// Why a write was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The key's entry is not the one that the condition names.
    PreconditionFailed,
    /// The key was written or removed since the lease was taken.
    LeaseVoid,
    /// The entry alone is heavier than the cache may be.
    TooHeavy,
    /// The entry's lifetime is over as soon as it begins.
    Expired,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreconditionFailed => "the key's etag is not the expected one",
            Self::LeaseVoid => "the key was written since its loading began",
            Self::TooHeavy => "the entry is heavier than the cache may be",
            Self::Expired => "the entry's lifetime is zero",
        })
    }
}

impl std::error::Error for Refused {}
