//! What the map holds for one key.

use crate::clock::{NEVER, Nanos};
use crate::etag::Etag;
use crate::idle::Moment;
use crate::linked_slab::Node;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Memory that a value holds beside its own size.
pub trait HeapBytes {
    /// Bytes on the heap that go away with the value.
    fn heap_bytes(&self) -> usize;
}

/// A key's bytes. Up to 16 stand in the entry itself, which with them is as large
/// as the allocator's next size: no second allocation, no second cache miss.
type Key = SmallVec<[u8; 16]>;

/// The heaviest weight that an entry can have.
pub(crate) const MAX_WEIGHT: u32 = u32::MAX;

/// One write of one key: never changed, only replaced. (When it was last validated
/// is no part of what was written.)
#[derive(Debug)]
pub struct Entry<V> {
    key: Key,
    value: V,
    etag: Etag,
    validated: AtomicU64,
    deadline: Nanos,
    pub(crate) place: Place,
}

/// Where the entry stands in the bookkeeping; written under its locks.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) uses: Uses,
    weight: u32,
    pub(crate) in_policy: NodeCell,
    pub(crate) in_wheel: NodeCell,
}

/// The hits since the policy last looked, up to [`Uses::MOST`], in the lowest two
/// bits; and in the others, in a cache where that counts, when the last one was.
#[derive(Debug)]
pub(crate) struct Uses(AtomicU32);

impl Uses {
    pub(crate) const MOST: u32 = 3;

    fn at(moment: Moment) -> Self {
        Self(AtomicU32::new(moment << 2))
    }

    /// Counts a hit. Two at once may count as one. Memory that would not change is not
    /// written, which costs other cores nothing.
    #[inline]
    pub(crate) fn increment(&self) {
        let before = self.0.load(Ordering::Relaxed);
        if before & Self::MOST < Self::MOST {
            self.0.store(before + 1, Ordering::Relaxed);
        }
    }

    /// The same, with its moment.
    #[inline]
    pub(crate) fn increment_at(&self, moment: Moment) {
        let before = self.0.load(Ordering::Relaxed);
        let uses = (before & Self::MOST).max((before + 1) & Self::MOST);
        let after = moment << 2 | uses;
        if after != before {
            self.0.store(after, Ordering::Relaxed);
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed) & Self::MOST
    }

    #[inline]
    pub(crate) fn last(&self) -> Moment {
        self.0.load(Ordering::Relaxed) >> 2
    }

    /// Sets the count. A moment that comes at the same time is not lost.
    pub(crate) fn put(&self, uses: u32) {
        let change = |before: u32| Some(before & !Self::MOST | uses);
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
    }
}

/// The node of an entry in a [`LinkedSlab`](crate::linked_slab::LinkedSlab), if any.
#[derive(Debug)]
pub(crate) struct NodeCell(AtomicU32);

impl NodeCell {
    const NONE: u32 = u32::MAX;

    fn empty() -> Self {
        Self(AtomicU32::new(Self::NONE))
    }

    pub(crate) fn put(&self, node: Node) {
        self.0.store(node, Ordering::Relaxed);
    }

    pub(crate) fn take(&self) -> Option<Node> {
        let node = self.0.swap(Self::NONE, Ordering::Relaxed);
        (node != Self::NONE).then_some(node)
    }

    pub(crate) fn get(&self) -> Option<Node> {
        let node = self.0.load(Ordering::Relaxed);
        (node != Self::NONE).then_some(node)
    }
}

impl<V> Entry<V> {
    pub(crate) fn new(
        key: &[u8],
        value: V,
        weight: u32,
        etag: Etag,
        validated: Nanos,
        deadline: Nanos,
        used: Moment,
    ) -> Self {
        Self {
            key: Key::from_slice(key),
            value,
            etag,
            validated: AtomicU64::new(validated),
            deadline,
            place: Place {
                uses: Uses::at(used),
                weight,
                in_policy: NodeCell::empty(),
                in_wheel: NodeCell::empty(),
            },
        }
    }

    /// The same write with another value.
    pub(crate) fn with_value(&self, value: V) -> Self {
        let entry = Self::new(
            &self.key,
            value,
            self.place.weight,
            self.etag.clone(),
            self.validated(),
            self.deadline,
            self.place.uses.last(),
        );
        entry.place.uses.put(self.place.uses.get());
        entry
    }

    /// The key's bytes.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> &V {
        &self.value
    }

    /// What it counts for against the bound of bytes.
    pub fn weight(&self) -> u64 {
        u64::from(self.place.weight)
    }

    /// The tag of this write.
    pub fn etag(&self) -> &Etag {
        &self.etag
    }

    /// When it was known to be what the key holds: when it was written or, with a
    /// server, last validated. HTTP's age counts from then (RFC 9111, 5.1).
    #[inline]
    pub fn validated(&self) -> Nanos {
        self.validated.load(Ordering::Relaxed)
    }

    /// It was still what the key holds at `moment`.
    pub fn validate(&self, moment: Nanos) {
        self.validated.fetch_max(moment, Ordering::Relaxed);
    }

    /// From when on it is gone; [`NEVER`] if it does not expire.
    #[inline]
    pub fn deadline(&self) -> Nanos {
        self.deadline
    }

    /// Whether it is gone at `now`.
    #[inline]
    pub fn is_expired(&self, now: Nanos) -> bool {
        self.deadline <= now
    }

    /// Whether it ever expires.
    #[inline]
    pub fn expires(&self) -> bool {
        self.deadline != NEVER
    }
}

impl<V: HeapBytes> Entry<V> {
    /// Bytes that this entry holds, its `Arc` included and the map's table apart.
    pub(crate) fn bytes(&self) -> usize {
        const ARC_COUNTS: usize = 2 * size_of::<usize>();
        ARC_COUNTS
            + size_of::<Self>()
            + if self.key.spilled() {
                self.key.len()
            } else {
                0
            }
            + self.etag.heap_bytes()
            + self.value.heap_bytes()
    }
}

/// An entry as the map's key: equal and hashed by the key's bytes.
#[derive(Debug)]
pub(crate) struct ByKey<V>(pub(crate) Arc<Entry<V>>);

impl<V> Clone for ByKey<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V> Deref for ByKey<V> {
    type Target = Arc<Entry<V>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<V> PartialEq for ByKey<V> {
    fn eq(&self, other: &Self) -> bool {
        self.0.key == other.0.key
    }
}

impl<V> Eq for ByKey<V> {}

impl<V> Hash for ByKey<V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0.key);
    }
}
