//! Eight threads on a few keys, with and without a bound, with lifetimes and
//! leases, while a ninth closes the gate again and again, as a fork does: nobody
//! is inside then, so that every invariant has to hold.

use crate::cache::{Cache, Condition, Config, Lifetime, Removed, Write};
use crate::clock::Clock;
use crate::entry::{Entry, HeapBytes};
use crate::gate::GATE;
use crate::policy::Bounds;
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: u8 = 8;
const OPERATIONS: u32 = 20_000;
const OPERATIONS_PER_FORK: u32 = 100;
const SHARED_KEYS: u64 = 12;
const BOUND: usize = 10;

const CHURN: u32 = 5_000;
const CHURN_BOUND: usize = 500;
const CHURN_BYTES: u64 = 20_000;

const TICK: u64 = 1 << 26;

/// Knows for what it was written, and by its token whether it was dropped.
#[derive(Debug)]
struct Value {
    key: u8,
    number: u32,
    _token: Arc<()>,
}

impl HeapBytes for Value {
    fn heap_bytes(&self) -> usize {
        self.number as usize % 100
    }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (n ^ (n >> 31)) % bound
    }
}

struct Worker<'a> {
    cache: &'a Cache<Value>,
    token: &'a Arc<()>,
    /// The operations of all workers.
    done: &'a AtomicU32,
    random: Random,
    number: u32,
    /// A key that no other worker writes, and its last write.
    own_key: u8,
    own_number: Option<u32>,
}

impl Worker<'_> {
    fn work(&mut self) {
        for number in 0..OPERATIONS {
            self.done.fetch_add(1, Ordering::Relaxed);
            self.number = number;
            match self.random.below(100) {
                0..30 => self.write(),
                30..55 => self.read(),
                55..65 => self.remove(),
                65..75 => self.load(),
                75..80 => self.write_own(),
                80..85 => self.read_own(),
                85..90 => self.expire(),
                90..98 => self.list(),
                _ => drop(self.cache.clear_all()),
            }
        }
    }

    fn key(&mut self) -> u8 {
        self.random.below(SHARED_KEYS) as u8
    }

    fn lifetime(&mut self) -> Lifetime {
        match self.random.below(4) {
            0 => Lifetime::Unlimited,
            1 => Lifetime::Kept,
            _ => Lifetime::For(self.random.below(20 * TICK)),
        }
    }

    fn put(&mut self, key: u8, condition: Condition) -> bool {
        let value = Value {
            key,
            number: self.number,
            _token: Arc::clone(self.token),
        };
        let write = Write {
            etag: None,
            lifetime: self.lifetime(),
            condition,
            as_of: None,
            weight: self.random.below(20),
        };
        self.cache.write(&[key], value, write).is_ok()
    }

    fn write(&mut self) {
        let key = self.key();
        let entry = self.cache.peek(&[key]);
        let condition = match (self.random.below(4), entry) {
            (0, _) => Condition::IfAbsent,
            (1, Some(entry)) => Condition::IfMatch(entry.etag().clone()),
            _ => Condition::Always,
        };
        self.put(key, condition);
    }

    fn load(&mut self) {
        let key = self.key();
        let lease = self.cache.take_lease(&[key]);
        if self.random.below(4) == 0 {
            self.cache.give_back_lease(&[key], lease);
        } else {
            self.put(key, Condition::IfLeased(lease));
        }
    }

    fn read(&mut self) {
        let key = self.key();
        let read = self.cache.read(&[key], |entry| entry.value().key);
        assert!(read.is_none_or(|read| read == key));
    }

    fn remove(&mut self) {
        let key = self.key();
        if let Removed::Entry(entry) = self.cache.remove(&[key], &Condition::Always) {
            assert_eq!(entry.value().key, key);
        }
    }

    fn write_own(&mut self) {
        assert!(self.put(self.own_key, Condition::Always));
        self.own_number = Some(self.number);
    }

    fn read_own(&mut self) {
        let number = |entry: &Entry<Value>| entry.value().number;
        let read = self.cache.read(&[self.own_key], number);
        assert!(read.is_none() || read == self.own_number);
    }

    fn expire(&mut self) {
        let by = Duration::from_nanos(self.random.below(3 * TICK));
        self.cache.clock().advance(by);
        for gone in self.cache.expire_all().0 {
            assert!(gone.entry.is_expired(self.cache.clock().now()));
        }
    }

    fn list(&self) {
        for entry in self.cache.entries() {
            assert_eq!(entry.key(), [entry.value().key]);
        }
    }
}

/// The gate, closed and with nobody inside.
struct Closed;

impl Closed {
    fn close() -> Self {
        GATE.close();
        while GATE.is_occupied() {
            thread::yield_now();
        }
        Self
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        GATE.open();
    }
}

fn stress(bounds: Bounds) {
    let token = Arc::new(());
    let cache = Cache::new(Config {
        bounds,
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    });
    let done = AtomicU32::new(0);
    let worker = |thread: u8| Worker {
        cache: &cache,
        token: &token,
        done: &done,
        random: Random(u64::from(thread)),
        number: 0,
        own_key: 100 + thread,
        own_number: None,
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || worker(thread).work()))
            .collect();
        let mut next_fork = 0;
        while !workers.iter().all(|worker| worker.is_finished()) {
            if done.load(Ordering::Relaxed) >= next_fork {
                next_fork += OPERATIONS_PER_FORK;
                let _closed = Closed::close();
                cache.validate();
            }
            thread::yield_now();
        }
    });
    cache.validate();
    assert_eq!(Arc::strong_count(&token) - 1, cache.len());
    drop(cache.clear_all());
    cache.validate();
    assert_eq!((cache.entry_bytes(), Arc::strong_count(&token)), (0, 1));
}

#[test]
fn many_threads_leave_an_unbounded_cache_intact() {
    stress(Bounds::default());
}

#[test]
fn many_threads_leave_a_bounded_cache_intact() {
    stress(Bounds {
        max_entries: NonZeroUsize::new(BOUND),
        max_bytes: None,
    });
}

#[test]
fn many_threads_leave_a_cache_with_a_bound_of_bytes_intact() {
    stress(Bounds {
        max_entries: NonZeroUsize::new(BOUND),
        max_bytes: NonZeroU64::new(60),
    });
}

/// Writes keys that nobody wrote before, and some again, and looks at the bounds.
fn churn(cache: &Cache<Value>, thread: u64, token: &Arc<()>) {
    let mut random = Random(thread);
    for number in 0..CHURN {
        let key = match random.below(4) {
            0 => random.below(100),
            _ => thread << 32 | u64::from(number),
        };
        let value = Value {
            key: 0,
            number,
            _token: Arc::clone(token),
        };
        let write = Write {
            etag: None,
            lifetime: Lifetime::Unlimited,
            condition: Condition::Always,
            as_of: None,
            weight: random.below(100),
        };
        assert!(cache.write(&key.to_le_bytes(), value, write).is_ok());
        cache.read(&random.below(100).to_le_bytes(), |_| ());
        // Two in a hundred: a key that is evicted while it is overwritten.
        assert!(cache.len() <= CHURN_BOUND + CHURN_BOUND / 50);
        assert!(cache.weight() <= CHURN_BYTES + CHURN_BYTES / 50);
    }
}

#[test]
fn bounds_hold_at_every_moment_for_sixteen_threads() {
    let token = Arc::new(());
    let cache = Cache::new(Config {
        bounds: Bounds {
            max_entries: NonZeroUsize::new(CHURN_BOUND),
            max_bytes: NonZeroU64::new(CHURN_BYTES),
        },
        idle: None,
        seed: 7,
        clock: Clock::manual(),
    });
    thread::scope(|scope| {
        for thread in 0..16 {
            let (cache, token) = (&cache, &token);
            scope.spawn(move || churn(cache, thread, token));
        }
    });
    cache.validate();
    assert_eq!(Arc::strong_count(&token) - 1, cache.len());
}
