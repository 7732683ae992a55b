//! What callers ask of a cache, and what they get back.

use crate::clock::Nanos;
use crate::entry::Entry;
use crate::error::Refused;
use crate::etag::Etag;
use crate::lease::LeaseId;
use std::sync::Arc;

/// On what a write or a removal depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// On nothing.
    Always,
    /// The key has an entry with this tag.
    IfMatch(Etag),
    /// The key has no entry with this tag: another one, or none.
    IfNoneMatch(Etag),
    /// The key has no entry that was validated later.
    IfNoneNewer(Nanos),
    /// The key has no entry.
    IfAbsent,
    /// Nothing wrote the key since the lease was taken.
    IfLeased(LeaseId),
}

impl Condition {
    /// Whether it holds for a key with this live entry, or with none, as far as the
    /// entry tells: a lease is another matter.
    pub(super) fn holds_for<V>(&self, live: Option<&Entry<V>>) -> bool {
        match self {
            Self::Always | Self::IfLeased(_) => true,
            Self::IfMatch(etag) => live.is_some_and(|live| live.etag() == etag),
            Self::IfNoneMatch(etag) => live.is_none_or(|live| live.etag() != etag),
            Self::IfNoneNewer(as_of) => live.is_none_or(|live| live.validated() <= *as_of),
            Self::IfAbsent => live.is_none(),
        }
    }
}

/// How long an entry lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// Until it is removed.
    Unlimited,
    /// So long from now on.
    For(Nanos),
    /// As long as the entry that it replaces would have lived; `Unlimited` if none.
    Kept,
}

/// One write.
#[derive(Debug, Clone)]
pub struct Write {
    /// The caller's own tag; one never used before if `None`.
    pub etag: Option<Etag>,
    /// How long the entry lives.
    pub lifetime: Lifetime,
    /// On what the write depends.
    pub condition: Condition,
    /// When the value was known to be true, if that is not now.
    pub as_of: Option<Nanos>,
    /// What the entry counts for against the bound of bytes.
    pub weight: u64,
}

/// Why an entry left the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There was no room for it.
    Size,
    /// Its time was over.
    Expired,
    /// Another write of its key came.
    Replaced,
    /// It was removed by name.
    Deleted,
    /// Everything was removed.
    Cleared,
}

/// An entry that left the cache. Dropping it may drop its value.
#[derive(Debug)]
pub struct Displaced<V> {
    /// The entry.
    pub entry: Arc<Entry<V>>,
    /// Why it left.
    pub cause: Cause,
}

/// A write that was done.
#[derive(Debug)]
pub struct Written<V> {
    /// The entry that is now in the cache.
    pub entry: Arc<Entry<V>>,
    /// The entries that left for it: the one replaced, those evicted.
    pub displaced: Vec<Displaced<V>>,
    /// Whether the next [`Cache::expire_due`](super::Cache::expire_due) became due earlier than it was: always
    /// if so, and sometimes if not.
    pub earlier_deadline: bool,
}

/// A write that was not done.
#[derive(Debug)]
pub struct Unwritten<V> {
    /// The value that was to be written.
    pub value: V,
    /// Why it was not.
    pub why: Refused,
    /// The entries that left nevertheless. A value that is too heavy, or has no time, displaces the
    /// key's entry, which is no longer what the key holds; and room may have been made
    /// for a write whose condition then failed.
    pub displaced: Vec<Displaced<V>>,
}

/// A removal's outcome.
#[derive(Debug)]
pub enum Removed<V> {
    /// This entry is no longer in the cache.
    Entry(Arc<Entry<V>>),
    /// The key had no entry.
    Absent,
    /// The key had this entry, whose time was over.
    Expired(Arc<Entry<V>>),
    /// The key's entry is another one than the condition names.
    PreconditionFailed,
}
