//! What happened, counted.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The live counters of one cache.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)*
        }

        /// The counters at one moment; each exact, together not one instant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Stats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Reads all counters.
            pub fn read(&self) -> Stats {
                Stats { $($name: self.$name.read(),)* }
            }
        }
    };
}

counters! {
    /// Reads that found an entry.
    hits,
    /// Reads that found none, or an expired one.
    misses,
    /// Writes that were stored.
    sets,
    /// Entries removed by name.
    deletes,
    /// Entries removed because their time was over.
    expirations,
    /// Entries removed because the cache was full.
    evictions,
    /// Entries replaced by another write of their key.
    replacements,
    /// Entries removed by a `clear`.
    cleared,
    /// Writes refused because the entry alone was heavier than the bound.
    refusals,
    /// Loaders that were run.
    loads,
    /// Reads answered by another caller's loader.
    coalesced,
    /// Reads that the server answered with "not modified".
    not_modified,
    /// Values that came from the server.
    transfers,
    /// Strings on the server that are not ours, or cut short.
    foreign,
    /// Values whose signature does not verify.
    unverified,
    /// Values that the coder could not decode.
    undecodable,
    /// Loaded values that the server did not take.
    write_failures,
    /// Reads answered from memory though the server did not answer, or before it did.
    stale,
}

/// One number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one.
    #[inline]
    pub fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
