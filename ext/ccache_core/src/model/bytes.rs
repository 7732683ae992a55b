//! Sequences that a fuzzer makes: bytes, read from the first to the last, each one a
//! choice. What no byte is left for is 0.

use super::{IDLE, Key, LATE, Model, On, Step, Weight};
use crate::cache::Lifetime;
use crate::clock::{NEVER, Nanos};

/// More keys than any bound, so that there is always something to evict.
const KEYS: u8 = 48;
const MOST_ENTRIES: u8 = 24;

/// Builds a cache as the bytes say, and does what they say.
///
/// # Panics
///
/// If the cache and the model disagree, or an invariant does not hold.
pub fn follow(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let max_entries = match bytes.next() {
        0 => None,
        number => Some(usize::from(number % MOST_ENTRIES)),
    };
    let max_bytes = match bytes.next() {
        0..128 => None,
        number => Some(u64::from(number % 128)),
    };
    let idle_for = (bytes.next() % 4 == 0).then_some(IDLE);
    let mut model = Model::new(max_entries, max_bytes, idle_for);
    while !bytes.0.is_empty() {
        model.run(vec![bytes.step()]);
    }
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        first
    }

    fn step(&mut self) -> Step {
        match self.next() % 40 {
            0..10 => self.write(),
            10..16 => Step::Read(self.key()),
            16 => Step::Peek(self.key()),
            17 => Step::Find(self.key()),
            18 => Step::Validate(self.key(), self.ago()),
            19 => Step::Exchange(self.key()),
            20..24 => Step::Remove(self.key(), self.on()),
            24 => Step::Clear,
            25..28 => self.resize(),
            28 => Step::Entries,
            29..32 => Step::Advance(self.nanos()),
            32 => Step::ExpireDue,
            33 => Step::SleepUntilDue,
            34..37 => Step::TakeLease(self.key()),
            _ => Step::GiveBack(self.key(), self.lease()),
        }
    }

    fn write(&mut self) -> Step {
        let key = self.key();
        let lifetime = match self.next() % 8 {
            0..3 => Lifetime::Unlimited,
            3..6 => Lifetime::For(self.nanos()),
            6 => Lifetime::For(NEVER),
            _ => Lifetime::Kept,
        };
        let tag = match self.next() % 8 {
            0 => Some("v1"),
            1 => Some("v2"),
            2 => Some("a-longer-tag"),
            _ => None,
        };
        Step::Write(key, lifetime, tag, self.on(), self.ago(), self.weight())
    }

    fn resize(&mut self) -> Step {
        let entries = usize::from(self.next() % MOST_ENTRIES);
        let bytes = self.next();
        Step::Resize(entries, (bytes % 2 == 1).then_some(u64::from(bytes)))
    }

    fn key(&mut self) -> Key {
        self.next() % KEYS
    }

    fn weight(&mut self) -> Weight {
        self.next() % 64
    }

    fn on(&mut self) -> On {
        match self.next() % 16 {
            0..6 => On::Nothing,
            6 | 7 => On::Absence,
            8 => On::LastTag,
            9 => On::SomeTag(self.next().into()),
            10 => On::NotLastTag,
            11 => On::NotSomeTag(self.next().into()),
            12 => On::NoneNewer(self.ago()),
            _ => self.lease(),
        }
    }

    fn lease(&mut self) -> On {
        match self.next() % 4 {
            0 => On::SomeLease(self.next().into()),
            _ => On::LastLease,
        }
    }

    fn ago(&mut self) -> Nanos {
        match self.next() {
            0..160 => 0,
            number => LATE * Nanos::from(number) / 256,
        }
    }

    /// Of any size, to reach every level of the timer wheel.
    fn nanos(&mut self) -> Nanos {
        let (shift, number) = (self.next() % 48, self.next());
        Nanos::from(number) << shift
    }
}
