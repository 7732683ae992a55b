//! The methods of `Ccache::Store` that are bound straight to the map.
//!
//! `get`, `[]`, `set`, `[]=`, `delete` and `key?` are public as they are; with
//! keyword arguments the first ones hand over to `lib/ccache/store.rb`, whose
//! private vocabulary the rest of this file is. What these take and give is
//! checked by the face, so their types are the simplest that do.

use crate::arguments::{Key, condition, lifetime, optional_etag, string_bytes};
use crate::departures;
use crate::errors;
use crate::gvl::without_gvl;
use crate::handle::Live;
use crate::heap;
use crate::pin_list::PinList;
use crate::reaper::{self, Shelf};
use crate::resizing;
use crate::snapshot::{self, Snapshot};
use crate::store::{self, Opened, Store, open, opened};
use crate::stored::{Encoder, Stored, Taken};
use crate::tally;
use crate::typed_data::from_raw;
use ccache_core::{Condition, Entry, Etag, Nanos, Refused, Removed, Write, glob};
use magnus::rb_sys::AsRawValue;
use magnus::value::ReprValue;
use magnus::{
    Error, IntoValue, Module, RArray, RHash, RModule, RString, Ruby, Symbol, Value, method,
};
use std::ffi::{CStr, c_int};
use std::sync::Arc;

/// `store[key]`.
fn aref(store: Value, key: Value) -> Result<Value, Error> {
    read(store, key, Ruby::get_with(store).qnil().as_value())
}

/// `store.get(key)`; with keywords the face's `get_with`.
fn get(ruby: &Ruby, store: Value, args: &[Value]) -> Result<Value, Error> {
    match args {
        [key] => aref(store, *key),
        [] => Err(errors::wrong_arity(ruby, 0, "1")),
        _ => face(store, c"_get_with", args),
    }
}

/// `store.set(key, value)`; with keywords, or where values are not kept as they
/// are, the face's `set_with`.
fn set(ruby: &Ruby, store: Value, args: &[Value]) -> Result<Value, Error> {
    match args {
        [key, value] => {
            let (live, opened) = open(&store)?;
            // SAFETY: the GVL is held; asks about the running method's own call.
            let has_keywords = unsafe { rb_sys::rb_keyword_given_p() } != 0;
            if !opened.is_shared || has_keywords {
                return face(store, c"_set_with", args);
            }
            let stored = keep(&live, *key, *value)?;
            let etag = put(opened, *key, stored, unconditional(opened))?
                .etag
                .map(|etag| text(ruby, &etag));
            departures::tell(store, &opened.shelf)?;
            Ok(etag.into_value_with(ruby))
        }
        [] | [_] => Err(errors::wrong_arity(ruby, args.len(), "2")),
        _ => face(store, c"_set_with", args),
    }
}

/// `store[key] = value`.
fn aset(store: Value, key: Value, value: Value) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    if opened.is_shared {
        let stored = keep(&live, key, value)?;
        put(opened, key, stored, unconditional(opened))?;
        departures::tell(store, &opened.shelf)?;
    } else {
        face(store, c"_set_with", &[key, value])?;
    }
    Ok(value)
}

/// `store.delete(key)`; with keywords the face's `delete_with`.
fn delete(ruby: &Ruby, store: Value, args: &[Value]) -> Result<Value, Error> {
    match args {
        [key] => remove(store, *key, ruby.qtrue().as_value()),
        [] => Err(errors::wrong_arity(ruby, 0, "1")),
        _ => face(store, c"_delete_with", args),
    }
}

/// `store.key?(key)`.
fn has_key(store: Value, key: Value) -> Result<bool, Error> {
    Ok(peek(store, key)?.is_some())
}

/// `store.etag(key)`.
fn etag_of(ruby: &Ruby, store: Value, key: Value) -> Result<Option<RString>, Error> {
    Ok(peek(store, key)?.map(|entry| text(ruby, entry.etag())))
}

/// `store.size`.
fn size(store: Value) -> Result<usize, Error> {
    Ok(open(&store)?.1.shelf.len())
}

/// `store.keys`.
fn keys(ruby: &Ruby, store: Value) -> Result<RArray, Error> {
    let (_live, opened) = open(&store)?;
    let entries = opened.shelf.entries();
    let keys = ruby.ary_new_capa(entries.len());
    for entry in &entries {
        keys.push(key_string(ruby, entry.key()))?;
    }
    Ok(keys)
}

/// The keys of this moment that match a pattern. Works upon copies of the keys, so that
/// no entry is held while others run.
fn keys_matching(ruby: &Ruby, store: Value, pattern: RString) -> Result<RArray, Error> {
    let (_live, opened) = open(&store)?;
    let pattern = string_bytes(pattern);
    let shelf = Arc::clone(&opened.shelf);
    let matching = without_gvl(ruby, move || {
        let mut keys = shelf.keys();
        keys.retain(|key| glob::matches(&pattern, key));
        keys
    })?;
    let keys = ruby.ary_new_capa(matching.len());
    for key in &matching {
        keys.push(key_string(ruby, key))?;
    }
    Ok(keys)
}

/// The entries of this moment, for `next_of`.
fn take_snapshot(ruby: &Ruby, store: Value) -> Result<Value, Error> {
    let (_live, opened) = open(&store)?;
    Snapshot::wrap(ruby, opened.shelf.entries())
}

/// Key and value of the next entry of a snapshot, or nil after the last.
fn next_of(ruby: &Ruby, store: Value, snapshot: Value) -> Result<Option<RArray>, Error> {
    let (live, _) = opened(&store)?;
    let Some(entry) = Snapshot::next(&snapshot)? else {
        return Ok(None);
    };
    let key = key_string(ruby, entry.key());
    let taken = entry.value().take(&live);
    drop(entry); // no frame owns it while Ruby decodes
    let value = taken.into_object(&live, key.as_value())?;
    let pair = ruby.ary_new_capa(2);
    pair.push(key)?;
    pair.push(value)?;
    Ok(Some(pair))
}

/// Drops what a walk did not come to.
fn discard(_store: Value, snapshot: Value) -> Result<(), Error> {
    Snapshot::discard(&snapshot)
}

/// `store.clear`: how many entries there were. Runs without the GVL.
fn clear(ruby: &Ruby, store: Value) -> Result<usize, Error> {
    let (live, opened) = open(&store)?;
    let count = drop_all(ruby, &live, &opened.shelf)?;
    departures::tell(store, &opened.shelf)?;
    Ok(count)
}

/// `store.close`.
fn close(ruby: &Ruby, store: Value) -> Result<(), Error> {
    let (live, opened) = opened(&store)?;
    live.store().refuse_from_now_on();
    if let Some(link) = opened.shelf.link() {
        link.close();
    }
    drop_all(ruby, &live, &opened.shelf).inspect_err(|_| {
        // Interrupted before it began: somebody else does it.
        opened.shelf.abandon();
        reaper::wake();
    })?;
    let told = departures::tell(store, &opened.shelf);
    if let Some(departures) = opened.shelf.departures() {
        departures.wake(); // its thread ends, whatever the listener did
    }
    told
}

/// `store.closed?`: true as well for a store that was never initialized.
fn is_closed(store: Value) -> bool {
    opened(&store).map_or(true, |(live, _)| live.store().is_closed())
}

/// The value of `key`, or `absent`. Counts as a read.
#[inline]
fn read(store: Value, key: Value, absent: Value) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let name = Key::new(key)?;
    tally::read();
    // SAFETY: the key is an argument; the look-up calls no Ruby.
    let taken = opened
        .shelf
        .read(unsafe { name.bytes() }, |entry| entry.value().take(&live));
    taken.map_or(Ok(absent), |taken| taken.into_object(&live, key))
}

/// `[value, etag, age in s, time to live in s or nil, whether the value is the
/// reader's own]` of `key`, or nil; where `known` is the tag, nil stands for the
/// value. Counts as a read.
fn read_entry(store: Value, key: Value, known: Value) -> Result<Option<RArray>, Error> {
    let (live, opened) = open(&store)?;
    let name = Key::new(key)?;
    let known = optional_etag(known)?;
    tally::read();
    // SAFETY: the key is an argument; the look-up calls no Ruby.
    let found = opened.shelf.read(unsafe { name.bytes() }, |entry| {
        Facts::of(&live, entry, known.as_ref())
    });
    drop(known);
    found
        .map(|facts| facts.into_parts(&live, opened, key))
        .transpose()
}

/// What a reader wants to know of an entry, as it was under the lock.
pub(crate) struct Facts {
    /// None if the reader has the value.
    taken: Option<Taken>,
    etag: Etag,
    validated: Nanos,
    deadline: Nanos,
}

impl Facts {
    /// `known` is the tag of the value that the reader has.
    pub(crate) fn of(live: &Live<'_>, entry: &Entry<Stored>, known: Option<&Etag>) -> Self {
        let is_known = known == Some(entry.etag());
        Self {
            taken: (!is_known).then(|| entry.value().take(live)),
            etag: entry.etag().clone(),
            validated: entry.validated(),
            deadline: entry.deadline(),
        }
    }

    /// `[value, etag, age in s, time to live in s or nil, whether the value is the reader's
    /// own]`. Ruby decodes last, when no frame owns anything any more.
    pub(crate) fn into_parts(
        self,
        live: &Live<'_>,
        opened: &Opened,
        key: Value,
    ) -> Result<RArray, Error> {
        let Self {
            taken,
            etag,
            validated,
            deadline,
        } = self;
        let ruby = live.ruby();
        let now = opened.shelf.clock().now();
        let parts = ruby.ary_new_capa(5);
        parts.push(ruby.qnil())?;
        parts.push(text(&ruby, &etag))?;
        drop(etag);
        parts.push(seconds(now.saturating_sub(validated)))?;
        let ttl = (deadline != ccache_core::NEVER).then(|| seconds(deadline.saturating_sub(now)));
        parts.push(ttl)?;
        parts.push(matches!(taken, Some(Taken::Encoded(_))))?;
        if let Some(taken) = taken {
            parts.store(0, taken.into_object(live, key)?)?;
        }
        Ok(parts)
    }
}

/// Keeps `value`, or its encoding if `is_encoded`: the etag, or nil if the
/// condition (see [`condition`]) does not hold. `as_of`, in the clock's nanoseconds,
/// is when it was true, if that is not now; a Symbol as the condition stands for "unless
/// there is an entry that was true later". A value that is heavier than the bound is as if
/// it had been written and evicted at once; the face is told. One whose lifetime is zero is as if
/// it had been written and had expired at once.
#[allow(clippy::too_many_arguments)] // the face's one way to write
fn write(
    ruby: &Ruby,
    store: Value,
    key: Value,
    value: Value,
    is_encoded: bool,
    given_etag: Value,
    for_how_long: Value,
    depends_on: Value,
    as_of: Option<u64>,
    weight: u64,
) -> Result<Option<RString>, Error> {
    let (live, opened) = open(&store)?;
    let write = Write {
        etag: optional_etag(given_etag)?,
        lifetime: lifetime(for_how_long, opened.lifetime)?,
        condition: match (Symbol::from_value(depends_on), as_of) {
            (Some(_if_none_newer), Some(as_of)) => Condition::IfNoneNewer(as_of),
            _ => condition(depends_on)?,
        },
        as_of,
        weight,
    };
    let stored = match RString::from_value(value).filter(|_| is_encoded) {
        Some(encoded) => {
            Key::new(key)?;
            let by = if opened.shelf.link().is_some() {
                Encoder::Coder
            } else {
                Encoder::Marshal
            };
            Stored::encoded(encoded, by)
        }
        None => keep(&live, key, value)?,
    };
    let put = put(opened, key, stored, write)?;
    let etag = put.etag.map(|etag| text(ruby, &etag));
    departures::tell(store, &opened.shelf)?;
    if put.is_too_heavy {
        let weight = ruby.into_value(weight);
        face(store, c"_note_refusal", &[key, weight])?;
    }
    Ok(etag)
}

/// Removes `key`: whether it was there, or nil if the condition does not hold.
fn remove(store: Value, key: Value, depends_on: Value) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let key = Key::new(key)?;
    let condition = condition(depends_on)?;
    // SAFETY: the key is an argument; the removal calls no Ruby.
    let removed = opened.shelf.take_out(unsafe { key.bytes() }, &condition);
    drop(condition); // no frame owns it while the listener runs
    let ruby = live.ruby();
    let answer = match removed {
        Removed::Entry(entry) => {
            drop(entry); // unpins, so that there may be something to tidy
            PinList::tidy(&live)?;
            ruby.qtrue().as_value()
        }
        Removed::Absent | Removed::Expired(_) => ruby.qfalse().as_value(),
        Removed::PreconditionFailed => ruby.qnil().as_value(),
    };
    departures::tell(store, &opened.shelf)?;
    Ok(answer)
}

/// Raises unless the store is open, `key` a key and `etag` nil or an etag.
fn check(store: Value, key: Value, etag: Value) -> Result<(), Error> {
    open(&store)?;
    Key::new(key)?;
    optional_etag(etag)?;
    Ok(())
}

/// Takes a lease on `key`, under a number of `next_lease`.
fn take_lease(store: Value, key: Value, lease: u64) -> Result<(), Error> {
    let (_live, opened) = open(&store)?;
    let key = Key::new(key)?;
    // SAFETY: the key is an argument; the call calls no Ruby.
    opened.shelf.take_lease_as(unsafe { key.bytes() }, lease);
    Ok(())
}

/// The number that the next lease is to be taken under. (Ruby acts upon a kill when a native
/// method has returned and before its result is assigned: what is taken must have its name
/// before.)
fn next_lease(store: Value) -> Result<u64, Error> {
    Ok(open(&store)?.1.shelf.next_lease())
}

/// Gives a lease back that no write used: whether it was still held; none, if nil. Also on a
/// closed store. (Nil is taken so that an `ensure` has no branch before this call: Ruby acts
/// upon a kill at branches.)
fn give_back_lease(store: Value, key: Value, lease: Option<u64>) -> Result<bool, Error> {
    let (_live, opened) = opened(&store)?;
    let Some(lease) = lease else {
        return Ok(false);
    };
    let key = Key::new(key)?;
    // SAFETY: the key is an argument; the call calls no Ruby.
    Ok(opened.shelf.give_back_lease(unsafe { key.bytes() }, lease))
}

fn count_load(store: Value) -> Result<(), Error> {
    open(&store)?.1.shelf.counters().loads.increment();
    tally::load();
    Ok(())
}

fn count_coalesced(store: Value) -> Result<(), Error> {
    open(&store)?.1.shelf.counters().coalesced.increment();
    Ok(())
}

/// `store.stats`.
fn stats(ruby: &Ruby, store: Value) -> Result<RHash, Error> {
    let (live, opened) = open(&store)?;
    let counted = opened.shelf.stats();
    let pins = PinList::count(&live)?;
    let bytes = opened.shelf.bytes() + size_of::<Store>() + live.store().pins().bytes();
    let stats = ruby.hash_new();
    for (name, number) in [
        ("hits", counted.hits),
        ("misses", counted.misses),
        ("sets", counted.sets),
        ("deletes", counted.deletes),
        ("expirations", counted.expirations),
        ("evictions", counted.evictions),
        ("replacements", counted.replacements),
        ("cleared", counted.cleared),
        ("refusals", counted.refusals),
        ("loads", counted.loads),
        ("coalesced", counted.coalesced),
        ("entries", opened.shelf.len() as u64),
        ("weight", opened.shelf.weight()),
        ("pins", pins as u64),
        ("segments", live.store().pins().segments() as u64),
        ("bytes", bytes as u64),
    ] {
        stats.aset(ruby.to_symbol(name), number)?;
    }
    Ok(stats)
}

/// The number of pins.
fn pins(store: Value) -> Result<usize, Error> {
    PinList::count(&open(&store)?.0)
}

/// The number of segments.
fn segments(store: Value) -> Result<usize, Error> {
    Ok(open(&store)?.0.store().pins().segments())
}

/// The pinned objects.
fn pinned_objects(store: Value) -> Result<RArray, Error> {
    PinList::objects(&open(&store)?.0)
}

/// Pins `value` for `key`, which is checked before anything is done.
pub(crate) fn keep(live: &Live<'_>, key: Value, value: Value) -> Result<Stored, Error> {
    Key::new(key)?;
    if live.object().is_frozen() && !is_shareable(live, value)? {
        return Err(errors::not_shareable(live, value));
    }
    Stored::object(live, value)
}

/// `Ractor.shareable?`: what a store may keep once it is shareable itself.
fn is_shareable(live: &Live<'_>, value: Value) -> Result<bool, Error> {
    let ractor: Value = live.ruby().class_object().const_get("Ractor")?;
    ractor.funcall("shareable?", (value,))
}

/// What came of a write.
struct Put {
    /// None if the condition does not hold.
    etag: Option<Etag>,
    /// Whether the value was not kept, since it alone is heavier than the bound.
    is_too_heavy: bool,
}

/// The one way into the map; [`departures::tell`] is to follow.
fn put(opened: &Opened, key: Value, stored: Stored, write: Write) -> Result<Put, Error> {
    let key = Key::new(key)?;
    let given = write.etag.clone();
    // SAFETY: the key is an argument; the write calls no Ruby.
    match opened.shelf.write(unsafe { key.bytes() }, stored, write) {
        Ok(written) => {
            if written.earlier_deadline {
                reaper::wake();
            }
            let etag = Some(written.entry.etag().clone());
            opened.shelf.depart_all(written.displaced);
            Ok(Put {
                etag,
                is_too_heavy: false,
            })
        }
        Err(unwritten) => {
            let is_too_heavy = unwritten.why == Refused::TooHeavy;
            opened.shelf.depart_all(unwritten.displaced);
            let was_written = is_too_heavy || unwritten.why == Refused::Expired;
            let etag = was_written.then(|| given.unwrap_or_else(|| opened.shelf.new_etag()));
            Ok(Put { etag, is_too_heavy })
        }
    }
}

fn unconditional(opened: &Opened) -> Write {
    Write {
        etag: None,
        lifetime: opened.lifetime,
        condition: Condition::Always,
        as_of: None,
        weight: 0,
    }
}

fn peek(store: Value, key: Value) -> Result<Option<Arc<Entry<Stored>>>, Error> {
    let (_live, opened) = open(&store)?;
    let key = Key::new(key)?;
    // SAFETY: the key is an argument; the look-up calls no Ruby.
    Ok(opened.shelf.peek(unsafe { key.bytes() }))
}

pub(crate) fn drop_all(ruby: &Ruby, live: &Live<'_>, shelf: &Arc<Shelf>) -> Result<usize, Error> {
    let shelf = Arc::clone(shelf);
    let count = without_gvl(ruby, move || {
        let mut freed = 0;
        let count = shelf.clear(|displaced| {
            freed += 1;
            shelf.depart(displaced);
        });
        if freed >= heap::WORTH {
            heap::give_back();
        }
        count
    })?;
    PinList::tidy(live)?;
    Ok(count)
}

/// Calls a private method of the face with this method's own arguments and block.
#[cold]
pub(crate) fn face(store: Value, method: &CStr, args: &[Value]) -> Result<Value, Error> {
    magnus::rb_sys::protect(|| {
        // Without arguments there are no keywords either, whatever this method was given:
        // Ruby would read them from before the first one.
        let has_keywords = if args.is_empty() {
            0
        } else {
            // SAFETY: the GVL is held; asks about the running method's own call.
            unsafe { rb_sys::rb_keyword_given_p() }
        };
        // SAFETY: the GVL is held, the arguments are on the stack, no lock of
        // ours is held (G4), and what is raised is caught by `protect`.
        unsafe {
            rb_sys::rb_funcallv_kw(
                store.as_raw(),
                rb_sys::rb_intern(method.as_ptr()),
                args.len() as c_int,
                args.as_ptr().cast(),
                has_keywords,
            )
        }
    })
    .map(from_raw)
}

pub(crate) fn text(ruby: &Ruby, etag: &Etag) -> RString {
    let text = ruby.enc_str_new(etag.text(), ruby.utf8_encoding());
    text.freeze();
    text
}

/// A key as a String: UTF-8 where its bytes are, else binary.
pub(crate) fn key_string(ruby: &Ruby, key: &[u8]) -> RString {
    match std::str::from_utf8(key) {
        Ok(key) => ruby.str_new(key),
        Err(_) => ruby.str_from_slice(key),
    }
}

#[allow(clippy::cast_precision_loss)] // a double tells nanoseconds for 100 days
pub(crate) fn seconds(nanos: ccache_core::Nanos) -> f64 {
    nanos as f64 / 1e9
}

pub(crate) fn init(ruby: &Ruby, ccache: RModule) -> Result<(), Error> {
    let store = ccache.define_class("Store", ruby.class_object())?;
    store::define_allocator(store);
    snapshot::init(ruby, store)?;
    store.define_method("get", method!(get, -1))?;
    store.define_method("[]", method!(aref, 1))?;
    store.define_method("set", method!(set, -1))?;
    store.define_method("[]=", method!(aset, 2))?;
    store.define_method("delete", method!(delete, -1))?;
    store.define_method("key?", method!(has_key, 1))?;
    store.define_method("etag", method!(etag_of, 1))?;
    store.define_method("size", method!(size, 0))?;
    store.define_method("keys", method!(keys, 0))?;
    store.define_method("clear", method!(clear, 0))?;
    store.define_method("close", method!(close, 0))?;
    store.define_method("closed?", method!(is_closed, 0))?;
    store.define_method("stats", method!(stats, 0))?;

    store.define_private_method("_open_store", method!(store::open_store, 7))?;
    departures::init(store)?;
    resizing::init(store)?;
    store.define_private_method("_check", method!(check, 2))?;
    store.define_private_method("_keys_matching", method!(keys_matching, 1))?;
    store.define_private_method("_read", method!(read, 2))?;
    store.define_private_method("_read_entry", method!(read_entry, 2))?;
    store.define_private_method("_write", method!(write, 8))?;
    store.define_private_method("_remove", method!(remove, 2))?;
    store.define_private_method("_take_snapshot", method!(take_snapshot, 0))?;
    store.define_private_method("_next_of", method!(next_of, 1))?;
    store.define_private_method("_discard", method!(discard, 1))?;
    store.define_private_method("_next_lease", method!(next_lease, 0))?;
    store.define_private_method("_take_lease", method!(take_lease, 2))?;
    store.define_private_method("_give_back_lease", method!(give_back_lease, 2))?;
    store.define_private_method("_count_load", method!(count_load, 0))?;
    store.define_private_method("_count_coalesced", method!(count_coalesced, 0))?;
    store.define_private_method("_pins", method!(pins, 0))?;
    store.define_private_method("_segments", method!(segments, 0))?;
    store.define_private_method("_pinned_objects", method!(pinned_objects, 0))?;
    Ok(())
}
