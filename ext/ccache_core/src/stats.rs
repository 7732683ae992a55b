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
    /// Loaders that were run.
    loads,
    /// Reads answered by another caller's loader.
    coalesced,
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
