//! What a cache does for one caller; each file has its theme.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::Refused;
use Refused::{LeaseVoid, PreconditionFailed};
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

mod accounting;
mod bounds;
mod clearing;
mod conditions;
mod dropping;
mod expiry;
mod idling;
mod leases;
mod popularity;
mod races;
mod reading;
mod resizing;
mod tagging;
mod validating;
mod weighing;

const SECOND: Nanos = 1_000_000_000;

/// What the timer wheel may be late by.
const LATE: Duration = Duration::from_millis(200);

impl HeapBytes for &'static str {
    fn heap_bytes(&self) -> usize {
        self.len()
    }
}

const PLAIN: Write = Write {
    etag: None,
    lifetime: Lifetime::Unlimited,
    condition: Condition::Always,
    as_of: None,
    weight: 0,
};

const fn for_seconds(seconds: u64) -> Write {
    Write {
        lifetime: Lifetime::For(seconds * SECOND),
        ..PLAIN
    }
}

fn on(condition: Condition) -> Write {
    Write { condition, ..PLAIN }
}

fn tag(text: &str) -> Etag {
    Etag::parse(text.as_bytes()).unwrap()
}

fn cache<V: HeapBytes>(max_entries: Option<usize>) -> Cache<V> {
    Cache::new(Config {
        bounds: Bounds {
            max_entries: max_entries.and_then(NonZeroUsize::new),
            max_bytes: None,
        },
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    })
}

fn unbounded() -> Cache<&'static str> {
    cache(None)
}

fn bounded_in_bytes(max_bytes: u64) -> Cache<&'static str> {
    Cache::new(Config {
        bounds: Bounds {
            max_entries: None,
            max_bytes: NonZeroU64::new(max_bytes),
        },
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    })
}

fn bounded(max_entries: usize) -> Cache<&'static str> {
    cache(Some(max_entries))
}

#[derive(Debug, PartialEq)]
enum Deleted {
    Value(&'static str),
    Absent,
    Failed,
}
use Deleted::{Absent, Failed, Value};

type Outcome = Result<Written<&'static str>, Unwritten<&'static str>>;

/// What the tests say about a cache, each time with all its invariants checked.
impl Cache<&'static str> {
    fn put(&self, key: &str, value: &'static str, write: Write) -> Outcome {
        let outcome = self.write(key.as_bytes(), value, write);
        self.validate();
        outcome
    }

    fn set(&self, key: &str, value: &'static str) -> Written<&'static str> {
        self.put(key, value, PLAIN).unwrap()
    }

    fn get(&self, key: &str) -> Option<&'static str> {
        self.read(key.as_bytes(), |entry| *entry.value())
    }

    fn delete_if(&self, key: &str, condition: &Condition) -> Deleted {
        let removed = self.remove(key.as_bytes(), condition);
        self.validate();
        match removed {
            Removed::Entry(entry) => Value(entry.value()),
            Removed::Absent | Removed::Expired(_) => Absent,
            Removed::PreconditionFailed => Failed,
        }
    }

    fn delete(&self, key: &str) -> Deleted {
        self.delete_if(key, &Condition::Always)
    }

    /// Writes what is not stored: the condition fails.
    fn try_put(&self, key: &str, condition: Condition) -> Refused {
        self.put(key, "refused", on(condition)).unwrap_err().why
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    fn expire(&self) -> Vec<&'static str> {
        let (expired, next) = self.expire_all();
        assert_eq!(next, self.next_expiry());
        self.validate();
        values(&expired)
    }
}

impl AsRef<Entry<&'static str>> for Displaced<&'static str> {
    fn as_ref(&self) -> &Entry<&'static str> {
        &self.entry
    }
}

fn values(entries: &[impl AsRef<Entry<&'static str>>]) -> Vec<&'static str> {
    let mut values: Vec<_> = entries
        .iter()
        .map(|entry| *entry.as_ref().value())
        .collect();
    values.sort_unstable();
    values
}
