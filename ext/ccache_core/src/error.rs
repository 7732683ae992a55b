//! Why a write was refused.

use std::fmt;

/// A write that was not done. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refused {
    /// The key's entry is not the one that the condition names.
    PreconditionFailed,
    /// The key was written or removed since the lease was taken.
    LeaseVoid,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreconditionFailed => "the key's etag is not the expected one",
            Self::LeaseVoid => "the key was written since its loading began",
        })
    }
}

impl std::error::Error for Refused {}
