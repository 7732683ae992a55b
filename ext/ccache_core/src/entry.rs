//! What the map holds for one key.

use crate::clock::{NEVER, Nanos};
use crate::etag::Etag;
use crate::linked_slab::Node;
use smallvec::SmallVec;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Memory that a value holds beside its own size.
pub trait HeapBytes {
    /// Bytes on the heap that go away with the value.
    fn heap_bytes(&self) -> usize;
}

/// A key's bytes. Up to 16 stand in the entry itself, which with them is as large
/// as the allocator's next size: no second allocation, no second cache miss.
type Key = SmallVec<[u8; 16]>;

/// The heaviest weight that is told from heavier ones: 64 PiB. Seven bytes of it stand
/// where the entry would have a gap.
const MAX_WEIGHT: u64 = (1 << 56) - 1;

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
    weight: [u8; 7],
    pub(crate) in_policy: NodeCell,
    pub(crate) in_wheel: NodeCell,
}

/// The hits since the policy last looked, up to [`Uses::MOST`].
#[derive(Debug)]
pub(crate) struct Uses(AtomicU8);

impl Uses {
    pub(crate) const MOST: u8 = 3;

    /// Counts a hit. Two at once may count as one. A store to memory that is not
    /// changed costs other cores nothing.
    #[inline]
    pub(crate) fn increment(&self) {
        let uses = self.get();
        if uses < Self::MOST {
            self.put(uses + 1);
        }
    }

    #[inline]
    pub(crate) fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn put(&self, uses: u8) {
        self.0.store(uses, Ordering::Relaxed);
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
        weight: u64,
        etag: Etag,
        validated: Nanos,
        deadline: Nanos,
    ) -> Self {
        let weight = weight.min(MAX_WEIGHT).to_le_bytes();
        Self {
            key: Key::from_slice(key),
            value,
            etag,
            validated: AtomicU64::new(validated),
            deadline,
            place: Place {
                uses: Uses(AtomicU8::new(0)),
                weight: std::array::from_fn(|byte| weight[byte]),
                in_policy: NodeCell::empty(),
                in_wheel: NodeCell::empty(),
            },
        }
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
        let mut weight = [0; 8];
        weight[..7].copy_from_slice(&self.place.weight);
        u64::from_le_bytes(weight)
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
