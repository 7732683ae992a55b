//! The core of ccache: a concurrent map of conditional cache entries.
//!
//! Pure Rust: it knows no Ruby, has no `unsafe` and is generic over the value, so
//! that property tests, model checkers and fuzzers reach all of it. The binding
//! (`ext/ccache`) puts Ruby objects in; see `docs/architecture.md`.
//!
//! Data flows one way: callers call in and get outcomes back.

#![forbid(unsafe_code)]

mod clock;
mod error;
pub mod gate;
pub mod slots;
mod sync;

#[cfg(not(loom))]
mod cache;
#[cfg(not(loom))]
mod entry;
#[cfg(not(loom))]
mod etag;
#[cfg(not(loom))]
mod expiry;
#[cfg(not(loom))]
pub mod glob;
#[cfg(not(loom))]
mod idle;
#[cfg(not(loom))]
mod lease;
#[cfg(not(loom))]
mod linked_slab;
#[cfg(all(any(test, feature = "testing"), not(loom)))]
pub mod model;
#[cfg(not(loom))]
mod policy;
#[cfg(not(loom))]
pub mod remote;
#[cfg(not(loom))]
mod stats;
#[cfg(all(test, not(loom)))]
mod stress_test;

#[cfg(not(loom))]
pub use cache::{
    Cache, Cause, Condition, Config, Displaced, Lifetime, Removed, Unwritten, Write, Written,
};
pub use clock::{Clock, NEVER, Nanos};
#[cfg(not(loom))]
pub use entry::{Entry, HeapBytes};
pub use error::Refused;
#[cfg(not(loom))]
pub use etag::{Etag, MAX_GIVEN};
#[cfg(not(loom))]
pub use lease::LeaseId;
#[cfg(not(loom))]
pub use policy::Bounds;
#[cfg(not(loom))]
pub use stats::{Counter, Counters, Stats};
