//! The cache against a naive model: a map with deadlines and the same clock.
//! Any sequence of operations has to have the same outcomes in both, and leaves
//! every invariant intact. Which entries a bounded cache evicts is the policy's
//! affair; the model checks how many, and forgets the same ones.
//!
//! The sequences come from proptest, and from a fuzzer (the crate in `fuzz/`).

use crate::cache::{Cache, Cause, Condition, Config, Displaced, Lifetime, Removed, Write};
use crate::clock::{Clock, NEVER, Nanos};
use crate::entry::{Entry, HeapBytes};
use crate::error::Refused;
use crate::etag::Etag;
use crate::lease::LeaseId;
use crate::policy::{Bounds, Load};
use crate::stats::Stats;
use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

mod bytes;
#[cfg(test)]
mod properties;

pub use bytes::follow;

/// Two ticks of the timer wheel: how late it may be.
const LATE: Nanos = 2 << 26;

type Key = u8;
type Value = u16;
type Weight = u8;

/// How long entries may be idle, where that is bounded: in units of 2^10 ns.
const IDLE: Nanos = 1 << 30;
const UNIT: Nanos = 1 << 10;

impl HeapBytes for Value {
    fn heap_bytes(&self) -> usize {
        usize::from(self % 8)
    }
}

/// A condition as a test names it; the model knows the tag or the lease.
#[derive(Debug, Clone, Copy)]
enum On {
    Nothing,
    Absence,
    /// The tag of the key's last write, expired or not.
    LastTag,
    /// The tag of some earlier write of any key.
    SomeTag(usize),
    /// Any other tag than the key's last write's, or than some earlier one's.
    NotLastTag,
    NotSomeTag(usize),
    /// Nothing younger than so long ago.
    NoneNewer(Nanos),
    LastLease,
    SomeLease(usize),
}

#[derive(Debug, Clone)]
enum Step {
    /// As of so long ago.
    Write(Key, Lifetime, Option<&'static str>, On, Nanos, Weight),
    Read(Key),
    Peek(Key),
    Find(Key),
    /// As of so long ago.
    Validate(Key, Nanos),
    Remove(Key, On),
    Exchange(Key),
    Clear,
    Resize(usize, Option<u64>),
    Entries,
    Advance(Nanos),
    ExpireDue,
    /// What the reaper's thread does: sleep until there is something to do.
    SleepUntilDue,
    TakeLease(Key),
    GiveBack(Key, On),
}

#[derive(Debug, Clone, PartialEq)]
struct Known {
    value: Value,
    etag: Etag,
    validated: Nanos,
    deadline: Nanos,
    weight: u64,
}

impl Known {
    fn of(entry: &Entry<Value>) -> Self {
        Self {
            value: *entry.value(),
            etag: entry.etag().clone(),
            validated: entry.validated(),
            deadline: entry.deadline(),
            weight: entry.weight(),
        }
    }
}

/// The cache, and what it should be.
struct Model {
    cache: Cache<Value>,
    clock: Clock,
    now: Nanos,
    idle: Option<Nanos>,
    unvisited_for: Nanos,
    /// When the keys were last used.
    used: BTreeMap<Key, Nanos>,
    /// What is in the map, also if it has expired and was not freed yet.
    entries: BTreeMap<Key, Known>,
    held: BTreeMap<Key, Vec<LeaseId>>,
    tags: Vec<Etag>,
    leases: Vec<LeaseId>,
    writes: Value,
    stats: Stats,
}

impl Model {
    fn new(max_entries: Option<usize>, max_bytes: Option<u64>, idle: Option<Nanos>) -> Self {
        let clock = Clock::manual();
        let cache = Cache::new(Config {
            bounds: Bounds {
                max_entries: max_entries.and_then(NonZeroUsize::new),
                max_bytes: max_bytes.and_then(NonZeroU64::new),
            },
            idle,
            seed: 7,
            clock: clock.clone(),
        });
        Self {
            stats: cache.stats(),
            cache,
            clock,
            now: 0,
            idle,
            unvisited_for: 0,
            used: BTreeMap::new(),
            entries: BTreeMap::new(),
            held: BTreeMap::new(),
            tags: Vec::new(),
            leases: vec![0],
            writes: 0,
        }
    }

    fn run(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Write(key, lifetime, tag, on, ago, weight) => {
                    self.write(key, lifetime, tag, on, ago, weight);
                }
                Step::Read(key) => self.read(key),
                Step::Peek(key) => self.peek(key),
                Step::Find(key) => self.find(key),
                Step::Validate(key, ago) => self.validate(key, ago),
                Step::Remove(key, on) => self.remove(key, on),
                Step::Exchange(key) => self.exchange(key),
                Step::Clear => self.clear(),
                Step::Resize(entries, bytes) => self.resize(entries, bytes),
                Step::Entries => self.list(),
                Step::Advance(by) => self.advance(by),
                Step::ExpireDue => self.expire_due(),
                Step::SleepUntilDue => self.sleep_until_due(),
                Step::TakeLease(key) => self.take_lease(key),
                Step::GiveBack(key, on) => self.give_back(key, on),
            }
            self.check();
        }
    }

    fn check(&self) {
        self.cache.validate();
        assert_eq!(self.cache.len(), self.entries.len());
        assert_eq!(self.cache.stats(), self.stats);
        let first = self.entries.keys().map(|&key| self.deadline(key)).min();
        match first.filter(|&deadline| deadline != NEVER) {
            None => assert_eq!(self.cache.next_expiry(), NEVER),
            Some(first) => assert!(self.cache.next_expiry() <= first + LATE),
        }
    }

    fn live(&self, key: Key) -> Option<&Known> {
        self.entries.get(&key).filter(|_| !self.is_over(key))
    }

    /// When the key's entry leaves by itself, if nobody uses it.
    fn deadline(&self, key: Key) -> Nanos {
        let Some(known) = self.entries.get(&key) else {
            return NEVER;
        };
        let idle = |idle| (self.used[&key] / UNIT + idle / UNIT + 1) * UNIT;
        known.deadline.min(self.idle.map_or(NEVER, idle))
    }

    fn is_over(&self, key: Key) -> bool {
        self.deadline(key) <= self.now
    }

    fn use_now(&mut self, key: Key) {
        self.used.insert(key, self.now);
    }

    fn condition(&self, key: Key, on: On) -> Condition {
        let last_tag = || self.entries.get(&key).map(|known| known.etag.clone());
        let some_tag = |index| self.tags.get(index % self.tags.len().max(1)).cloned();
        let if_match = |tag: Option<Etag>| tag.map_or(Condition::IfAbsent, Condition::IfMatch);
        let if_none_match =
            |tag: Option<Etag>| tag.map_or(Condition::Always, Condition::IfNoneMatch);
        match on {
            On::Nothing => Condition::Always,
            On::Absence => Condition::IfAbsent,
            On::LastTag => if_match(last_tag()),
            On::SomeTag(index) => if_match(some_tag(index)),
            On::NotLastTag => if_none_match(last_tag()),
            On::NotSomeTag(index) => if_none_match(some_tag(index)),
            On::NoneNewer(ago) => Condition::IfNoneNewer(self.now.saturating_sub(ago)),
            On::LastLease | On::SomeLease(_) => Condition::IfLeased(self.lease(key, on)),
        }
    }

    fn lease(&self, key: Key, on: On) -> LeaseId {
        match on {
            On::SomeLease(index) => self.leases[index % self.leases.len()],
            _ => self
                .held
                .get(&key)
                .and_then(|held| held.last().copied())
                .unwrap_or(0),
        }
    }

    fn refusal(&self, key: Key, condition: &Condition) -> Option<Refused> {
        let live = self.live(key);
        match condition {
            Condition::IfAbsent if live.is_some() => Some(Refused::PreconditionFailed),
            Condition::IfMatch(tag) if live.is_none_or(|live| live.etag != *tag) => {
                Some(Refused::PreconditionFailed)
            }
            Condition::IfNoneMatch(tag) if live.is_some_and(|live| live.etag == *tag) => {
                Some(Refused::PreconditionFailed)
            }
            Condition::IfNoneNewer(moment) if live.is_some_and(|live| live.validated > *moment) => {
                Some(Refused::PreconditionFailed)
            }
            Condition::IfLeased(lease) if !self.holds(key, *lease) => Some(Refused::LeaseVoid),
            _ => None,
        }
    }

    fn write(
        &mut self,
        key: Key,
        lifetime: Lifetime,
        tag: Option<&str>,
        on: On,
        ago: Nanos,
        weight: Weight,
    ) {
        let condition = self.condition(key, on);
        let refusal = self.refusal(key, &condition);
        let deadline = match lifetime {
            Lifetime::Unlimited => NEVER,
            Lifetime::For(nanos) => self.now.saturating_add(nanos),
            Lifetime::Kept => self.live(key).map_or(NEVER, |live| live.deadline),
        };
        let write = Write {
            etag: tag.and_then(|tag| Etag::parse(tag.as_bytes())),
            lifetime,
            condition,
            as_of: (ago > 0).then(|| self.now.saturating_sub(ago)),
            weight: u64::from(weight),
        };
        let given = write.etag.clone();
        self.writes += 1;
        let was_over = self.is_over(key);
        let due_before = self.cache.next_expiry();
        let written = match self.cache.write(&[key], self.writes, write) {
            Ok(written) => written,
            Err(unwritten) => {
                let unkept = if lifetime == Lifetime::For(0) {
                    Refused::Expired
                } else {
                    Refused::TooHeavy
                };
                let why = refusal.unwrap_or(unkept);
                assert_eq!((unwritten.value, unwritten.why), (self.writes, why));
                return match why {
                    Refused::TooHeavy => self.refuse(key, weight, &unwritten.displaced, was_over),
                    Refused::Expired => self.write_in_vain(key, &unwritten.displaced, was_over),
                    _ => assert!(unwritten.displaced.is_empty()),
                };
            }
        };
        assert_eq!(refusal, None);
        assert_ne!(lifetime, Lifetime::For(0));
        assert!(self.bounds().admit(weight.into()));
        // (It may be told of a deadline that is earlier only since another was evicted.)
        assert!(written.earlier_deadline || self.cache.next_expiry() >= due_before);

        let known = Known::of(&written.entry);
        assert_eq!((known.value, known.deadline), (self.writes, deadline));
        assert_eq!(known.validated, self.now.saturating_sub(ago));
        match given {
            Some(given) => assert_eq!(known.etag, given),
            None => assert!(!self.tags.contains(&known.etag)),
        }
        self.tags.push(known.etag.clone());
        self.held.remove(&key);
        self.stats.sets += 1;

        let replaced = self.entries.insert(key, known);
        if replaced.is_some() {
            self.count_replaced(was_over);
        }
        let mut victims = written.displaced;
        if let Some(old) = replaced {
            let is_old = |gone: &Displaced<Value>| Known::of(&gone.entry) == old;
            let place = victims.iter().position(is_old);
            let gone = victims.remove(place.unwrap_or(usize::MAX));
            assert_eq!(gone.cause, cause(was_over, Cause::Replaced));
        }
        self.use_now(key);
        self.evicted(&victims);
        assert!(self.entries.contains_key(&key), "a write evicted itself");
    }

    /// The key's entry, if any, leaves for a value that is too heavy.
    fn refuse(&mut self, key: Key, weight: Weight, displaced: &[Displaced<Value>], was_over: bool) {
        assert!(!self.bounds().admit(weight.into()));
        self.stats.refusals += 1;
        self.overtake(key, displaced, was_over);
    }

    /// The same for a value whose lifetime is zero, which counts as written.
    fn write_in_vain(&mut self, key: Key, displaced: &[Displaced<Value>], was_over: bool) {
        self.stats.sets += 1;
        self.overtake(key, displaced, was_over);
    }

    fn overtake(&mut self, key: Key, displaced: &[Displaced<Value>], was_over: bool) {
        self.held.remove(&key);
        let old = self.entries.remove(&key);
        let gone = displaced.iter().map(|gone| Known::of(&gone.entry));
        assert!(gone.eq(old.clone()));
        if old.is_some() {
            assert_eq!(displaced[0].cause, cause(was_over, Cause::Replaced));
            self.count_replaced(was_over);
        }
    }

    fn count_replaced(&mut self, was_over: bool) {
        if was_over {
            self.stats.expirations += 1;
        } else {
            self.stats.replacements += 1;
        }
    }

    /// The bounds hold, and would not without any one of the evictions: what is kept
    /// with the last victim is too much.
    fn evicted(&mut self, victims: &[Displaced<Value>]) {
        for victim in victims {
            let cause = cause(self.is_over(victim.entry.key()[0]), Cause::Size);
            assert_eq!(victim.cause, cause);
            match cause {
                Cause::Size => self.stats.evictions += 1,
                _ => self.stats.expirations += 1,
            }
        }
        self.forget(victims);
        let mut load = Load::default();
        for known in self.entries.values() {
            load += Load::one(known.weight);
        }
        assert!(self.bounds().allow(load));
        if let Some(last) = victims.last() {
            load += Load::one(last.entry.weight());
            assert!(!self.bounds().allow(load), "an eviction too many");
        }
    }

    fn bounds(&self) -> Bounds {
        self.cache.bounds()
    }

    /// Takes out of the model what the cache says it took out of the map.
    fn forget(&mut self, gone: &[Displaced<Value>]) {
        for Displaced { entry, .. } in gone {
            let known = self.entries.remove(&entry.key()[0]);
            assert_eq!(known, Some(Known::of(entry)));
        }
    }

    fn read(&mut self, key: Key) {
        let read = self.cache.read(&[key], Known::of);
        assert_eq!(read.as_ref(), self.live(key));
        match read {
            Some(_) => {
                self.stats.hits += 1;
                self.use_now(key);
            }
            None => self.stats.misses += 1,
        }
    }

    fn peek(&self, key: Key) {
        let peeked = self.cache.peek(&[key]);
        assert_eq!(
            peeked.map(|entry| Known::of(&entry)).as_ref(),
            self.live(key)
        );
    }

    fn find(&mut self, key: Key) {
        let found = self.cache.find(&[key]);
        assert_eq!(
            found.as_ref().map(|entry| Known::of(entry)).as_ref(),
            self.live(key)
        );
        if found.is_some() {
            self.use_now(key);
        }
    }

    /// What was exchanged once cannot be exchanged again.
    fn exchange(&mut self, key: Key) {
        let Some(entry) = self.cache.peek(&[key]) else {
            return;
        };
        self.writes += 1;
        let exchanged = self.cache.exchange(&entry, self.writes);
        let exchanged = exchanged.ok().filter(|done| done.displaced.is_empty());
        let known = exchanged.map(|done| Known::of(&done.entry));
        if let Some(old) = self.entries.get_mut(&key) {
            old.value = self.writes;
        }
        assert_eq!(known.as_ref(), self.live(key));
        assert_eq!(self.cache.exchange(&entry, 0).err(), Some(0));
    }

    fn validate(&mut self, key: Key, ago: Nanos) {
        let moment = self.now.saturating_sub(ago);
        let is_live = self.live(key).is_some();
        if let (Some(entry), Some(known)) = (self.cache.peek(&[key]), self.entries.get_mut(&key)) {
            assert!(is_live);
            entry.validate(moment);
            known.validated = known.validated.max(moment);
            assert_eq!(Known::of(&entry), *known);
        }
    }

    fn remove(&mut self, key: Key, on: On) {
        let condition = self.condition(key, on);
        let refusal = self.refusal(key, &condition);
        let live = self.live(key).cloned();
        let was_over = self.is_over(key);
        let removed = self.cache.remove(&[key], &condition);
        if let Removed::PreconditionFailed = removed {
            return assert!(refusal.is_some());
        }
        assert_eq!(refusal, None);
        self.held.remove(&key);
        let was_there = self.entries.remove(&key).is_some();
        match removed {
            Removed::Entry(entry) => {
                assert_eq!(Some(Known::of(&entry)), live);
                self.stats.deletes += 1;
            }
            Removed::Expired(entry) => {
                assert!(was_there && was_over && entry.key() == [key]);
                assert_eq!(live, None);
                self.stats.expirations += 1;
            }
            _ => assert!(!was_there),
        }
    }

    fn clear(&mut self) {
        self.held.clear();
        let cleared = self.cache.clear_all();
        for gone in &cleared {
            let was_over = self.is_over(gone.entry.key()[0]);
            assert_eq!(gone.cause, cause(was_over, Cause::Cleared));
            if was_over {
                self.stats.expirations += 1;
            } else {
                self.stats.cleared += 1;
            }
        }
        self.forget(&cleared);
        assert!(self.entries.is_empty());
        assert_eq!(self.cache.entry_bytes(), 0);
    }

    fn resize(&mut self, max_entries: usize, max_bytes: Option<u64>) {
        let mut displaced = Vec::new();
        let bounds = Bounds {
            max_entries: NonZeroUsize::new(max_entries),
            max_bytes: max_bytes.and_then(NonZeroU64::new),
        };
        self.cache.resize(bounds, |gone| displaced.push(gone));
        self.evicted(&displaced);
    }

    fn list(&self) {
        let listed = self.cache.entries();
        assert!(
            listed
                .iter()
                .all(|entry| self.live(entry.key()[0]) == Some(&Known::of(entry)))
        );
        let live = self.entries.keys().filter(|&&key| self.live(key).is_some());
        assert_eq!(listed.len(), live.count());
    }

    /// An entry tells how long it was idle if it is visited now and then.
    fn advance(&mut self, by: Nanos) {
        const UNVISITED: Nanos = 1 << 38;
        if self.idle.is_some() {
            self.advance_clock(by.min(UNVISITED));
            self.unvisited_for += by.min(UNVISITED);
            if self.unvisited_for >= UNVISITED {
                self.expire_due();
            }
        } else {
            self.advance_clock(by);
        }
    }

    fn advance_clock(&mut self, by: Nanos) {
        self.now += by;
        self.clock.advance(Duration::from_nanos(by));
    }

    fn expire_due(&mut self) {
        self.unvisited_for = 0;
        let (expired, next) = self.cache.expire_all();
        assert_eq!(next, self.cache.next_expiry());
        assert!(expired.iter().all(|gone| gone.cause == Cause::Expired));
        let keys = expired.iter().map(|gone| gone.entry.key()[0]);
        assert!(keys.into_iter().all(|key| self.is_over(key)));
        self.stats.expirations += expired.len() as u64;
        self.forget(&expired);
        let overdue = |key| self.deadline(key).saturating_add(LATE) <= self.now;
        assert!(!self.entries.keys().any(|&key| overdue(key)));
        assert!(next > self.now);
    }

    fn sleep_until_due(&mut self) {
        let due = self.cache.next_expiry();
        if due != NEVER {
            self.advance(due.saturating_sub(self.now));
            self.expire_due();
        }
    }

    fn take_lease(&mut self, key: Key) {
        let lease = self.cache.take_lease(&[key]);
        assert!(!self.leases.contains(&lease));
        self.leases.push(lease);
        self.held.entry(key).or_default().push(lease);
    }

    fn give_back(&mut self, key: Key, on: On) {
        let lease = self.lease(key, on);
        let is_held = self.holds(key, lease);
        assert_eq!(self.cache.give_back_lease(&[key], lease), is_held);
        if let Some(held) = self.held.get_mut(&key) {
            held.retain(|&other| other != lease);
        }
    }

    fn holds(&self, key: Key, lease: LeaseId) -> bool {
        let held = self.held.get(&key);
        held.is_some_and(|held| held.contains(&lease))
    }
}

fn cause(was_over: bool, otherwise: Cause) -> Cause {
    if was_over { Cause::Expired } else { otherwise }
}
