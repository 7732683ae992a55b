//! Reads: the entry in memory, if the server says that it holds.
//!
//! The entry's `Arc` keeps its object pinned while the server is asked without the
//! GVL, whatever happens to the map meanwhile; the answer is that very object.

use super::{Link, Outcome, ask, check_replies, key_or_keys, link};
use crate::arguments::{Key, key_bytes, optional_etag};
use crate::errors;
use crate::handle::Live;
use crate::methods::{Facts, face, text};
use crate::store::{Opened, open};
use crate::stored::{Encoder, Stored, Taken, Undecoded};
use crate::tally;
use ccache_core::remote::{Body, Expiry, Head, RemoteError, Reply, etag_of, tag_of};
use ccache_core::{Condition, Entry, Etag, Nanos};
use magnus::value::ReprValue;
use magnus::{Error, IntoValue, Module, RArray, RModule, Ruby, Value, method};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The bytes that a validation brings.
const HEADER: i64 = 24;

/// Whether the server was asked.
type WasAsked = bool;

/// What asking after an entry in memory came to.
enum Looked {
    /// It is what the key holds, or was so recently enough.
    Holds(Arc<Entry<Stored>>, WasAsked),
    /// It is not, or there is none in memory: why. In the order of the face's
    /// `Remote::OUTCOMES`.
    Otherwise(Outcome),
}

/// `store[key]`.
fn aref(store: Value, key: Value) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    if !link.has_plain_reads {
        return face(store, c"_get_with", &[key]);
    }
    match look_up(&live, opened, link, key, link.max_age)? {
        Looked::Holds(entry, _) => value_of(&live, entry, key),
        Looked::Otherwise(outcome) => {
            let outcome = live.ruby().integer_from_i64(outcome as i64).as_value();
            face(store, c"_get_otherwise", &[key, outcome])
        }
    }
}

/// `store.get(key)`; with keywords the face's `get_with`.
fn get(store: Value, args: &[Value]) -> Result<Value, Error> {
    match args {
        [key] => aref(store, *key),
        _ => face(store, c"_get_with", args),
    }
}

/// The value of `key` if it holds, else one of `outcomes`.
fn look(
    store: Value,
    key: Value,
    max_age: Option<Nanos>,
    outcomes: RArray,
) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    match look_up(&live, opened, link, key, max_age.unwrap_or(link.max_age))? {
        Looked::Holds(entry, _) => value_of(&live, entry, key),
        Looked::Otherwise(outcome) => outcome.of(outcomes),
    }
}

/// As `read_entry` for the entry of `key` if it holds, and whether the server was
/// asked; else one of `outcomes`.
fn look_entry(
    store: Value,
    key: Value,
    known: Value,
    max_age: Option<Nanos>,
    outcomes: RArray,
) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    Key::new(key)?; // its error shows the key, while no frame owns anything
    let known = optional_etag(known)?;
    match look_up(&live, opened, link, key, max_age.unwrap_or(link.max_age))? {
        Looked::Holds(entry, was_asked) => {
            let facts = Facts::of(&live, &entry, known.as_ref());
            drop((entry, known)); // no frame owns them while Ruby decodes
            let parts = facts.into_parts(&live, opened, key)?;
            parts.push(was_asked)?;
            Ok(parts.as_value())
        }
        Looked::Otherwise(outcome) => outcome.of(outcomes),
    }
}

/// For each key its value if it holds, else one of `outcomes`: a Hash if all hold,
/// else an Array. One pipeline.
fn look_multi(
    store: Value,
    keys: RArray,
    max_age: Option<Nanos>,
    outcomes: RArray,
) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let looked = ask_multi(&live, opened, link, keys, max_age, outcomes)?;
    // Whatever comes back to this loop, by a continuation, finds it whole.
    for index in 0..looked.encodings.len() as isize {
        let position: isize = looked.encoded_at.entry(index)?;
        let bytes = looked.encodings.entry(index)?;
        let by = Encoder::Coder; // all that a store with a server encodes
        let value = Undecoded { bytes, by }.decode(&live, keys.entry(position)?)?;
        looked.values.store(position, value)?;
    }
    if !looked.all_hold {
        return Ok(looked.values.as_value());
    }
    let held = live.ruby().hash_new();
    for index in 0..keys.len() as isize {
        held.aset(
            keys.entry::<Value>(index)?,
            looked.values.entry::<Value>(index)?,
        )?;
    }
    Ok(held.as_value())
}

/// What memory and the server say of many keys, all of it Ruby's: decoding is still to come.
struct LookedMulti {
    /// For each key its value, or one of the outcomes; nil where it is still encoded.
    values: RArray,
    /// Strings that encode values.
    encodings: RArray,
    /// Where each of those values goes.
    encoded_at: RArray,
    all_hold: bool,
}

fn ask_multi(
    live: &Live<'_>,
    opened: &Opened,
    link: &Link,
    keys: RArray,
    max_age: Option<Nanos>,
    outcomes: RArray,
) -> Result<LookedMulti, Error> {
    let max_age = max_age.unwrap_or(link.max_age);
    for key in keys.into_iter() {
        Key::new(key)?; // its error shows the key, while no frame owns anything
    }
    let now = opened.shelf.clock().now();
    let mut found = Vec::with_capacity(keys.len());
    let mut asked = Vec::new();
    for key in keys.into_iter() {
        let key = Key::new(key)?;
        // SAFETY: the key is an element of an argument; the look-up calls no Ruby.
        let entry = opened.shelf.find(unsafe { key.bytes() });
        // Decided once: another reader may validate the entry at any time.
        let is_asked = entry
            .as_ref()
            .is_some_and(|entry| !is_fresh(entry, max_age, now));
        if let Some(entry) = entry.as_ref().filter(|_| is_asked) {
            asked.push(Arc::clone(entry));
        }
        found.push((entry, is_asked));
    }
    let mut answers = Vec::new();
    let mut sent_at = now;
    if !asked.is_empty() {
        let operation = link.remote.validate(asked.iter().map(|entry| entry.key()));
        (answers, sent_at) = ask(live, link, keys.as_value(), operation)?;
    }
    let mut answers = answers.into_iter();
    let ruby = live.ruby();
    let values = ruby.ary_new_capa(found.len());
    let (encodings, encoded_at) = (ruby.ary_new(), ruby.ary_new());
    let mut all_hold = true;
    for (index, (entry, is_asked)) in found.into_iter().enumerate() {
        let looked = match entry {
            None => Looked::Otherwise(Outcome::Unknown),
            Some(entry) if !is_asked => {
                opened.shelf.counters().hits.increment();
                tally::read();
                Looked::Holds(entry, false)
            }
            Some(entry) => {
                let key = keys.entry(index as isize)?;
                let head = head_of(live, link, key, answers.next())?;
                judge(opened, entry, head, sent_at)
            }
        };
        values.push(match looked {
            Looked::Otherwise(outcome) => {
                all_hold = false;
                outcome.of(outcomes)?
            }
            Looked::Holds(entry, _) => match entry.value().take(live) {
                Taken::Encoded(encoded) => {
                    encodings.push(encoded.into_undecoded(live).bytes)?;
                    encoded_at.push(index)?;
                    ruby.qnil().as_value()
                }
                taken => taken.into_object(live, keys.as_value())?,
            },
        })?;
    }
    Ok(LookedMulti {
        values,
        encodings,
        encoded_at,
        all_hold,
    })
}

/// Asks whether the entry of `key` in memory holds.
fn look_up(
    live: &Live<'_>,
    opened: &Opened,
    link: &Link,
    key: Value,
    max_age: Nanos,
) -> Result<Looked, Error> {
    let bytes = Key::new(key)?;
    // SAFETY: the key is an argument; the look-up calls no Ruby.
    let Some(entry) = opened.shelf.find(unsafe { bytes.bytes() }) else {
        return Ok(Looked::Otherwise(Outcome::Unknown));
    };
    if max_age > 0 && is_fresh(&entry, max_age, opened.shelf.clock().now()) {
        opened.shelf.counters().hits.increment();
        tally::read();
        return Ok(Looked::Holds(entry, false));
    }
    let (heads, sent_at) = ask(live, link, key, link.remote.validate([entry.key()]))?;
    let head = head_of(live, link, key, heads.into_iter().next())?;
    Ok(judge(opened, entry, head, sent_at))
}

/// The answer to one question; the server's error is raised.
fn head_of(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    answer: Option<Result<Head, RemoteError>>,
) -> Result<Head, Error> {
    answer
        .unwrap_or(Ok(Head::Absent))
        .map_err(|error| errors::remote(&live.ruby(), &error, link.remote.server(), key))
}

fn is_fresh(entry: &Entry<Stored>, max_age: Nanos, now: Nanos) -> bool {
    max_age > 0 && now.saturating_sub(entry.validated()) <= max_age
}

/// What the server's answer says of the entry that was in memory.
fn judge(opened: &Opened, entry: Arc<Entry<Stored>>, head: Head, sent_at: Nanos) -> Looked {
    let outcome = match head {
        Head::Tagged(tag) | Head::Named(tag) if tag == tag_of(entry.etag()) => {
            entry.validate(sent_at);
            opened.shelf.counters().hits.increment();
            opened.shelf.counters().not_modified.increment();
            tally::not_modified();
            return Looked::Holds(entry, true);
        }
        other => outcome_of(other),
    };
    if !matches!(outcome, Outcome::Changed) {
        let this_one = Condition::IfMatch(entry.etag().clone());
        drop(opened.shelf.take_out(entry.key(), &this_one));
        opened.shelf.ring();
    }
    Looked::Otherwise(outcome)
}

/// By value: no frame owns the entry while Ruby decodes. Its object, if it has one, is on the
/// stack by then.
fn value_of(live: &Live<'_>, entry: Arc<Entry<Stored>>, key: Value) -> Result<Value, Error> {
    let taken = entry.value().take(live);
    drop(entry);
    taken.into_object(live, key)
}

/// The etag of what the server holds for `key`, or one of `outcomes`: `changed` where
/// the header alone does not tell the tag. It does if the tag is that of the entry in
/// memory, or the content's and not to be verified.
fn tag_at_server(store: Value, key: Value, outcomes: RArray) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let bytes = key_bytes(key)?;
    let (heads, _) = ask(&live, link, key, link.remote.validate([&*bytes]))?;
    let head = head_of(&live, link, key, heads.into_iter().next())?;
    if let Head::Tagged(tag) | Head::Named(tag) = head {
        let known = opened.shelf.peek(&bytes);
        if let Some(entry) = known.filter(|entry| tag_of(entry.etag()) == tag) {
            tally::not_modified();
            return Ok(text(&live.ruby(), entry.etag()).as_value());
        }
    }
    match head {
        Head::Tagged(tag) if !link.remote.format().verifies_bodies() => {
            tally::not_modified();
            Ok(text(&live.ruby(), &etag_of(&tag)).as_value())
        }
        other => outcome_of(other).of(outcomes),
    }
}

/// The etag of what the server holds for `key`, with the text that its writer gave, or
/// one of `outcomes`. It comes without the body, so nothing is verified.
fn name_at_server(store: Value, key: Value, outcomes: RArray) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    match ask(&live, link, key, link.remote.name(&key_bytes(key)?))? {
        Ok(etag) => {
            tally::not_modified();
            Ok(text(&live.ruby(), &etag).as_value())
        }
        Err(other) => outcome_of(other).of(outcomes),
    }
}

/// Bytes of what the server holds for `key` beside the header, which are those that a
/// validation spares.
fn spared_bytes(store: Value, key: Value) -> Result<i64, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let (replies, _) = ask(&live, link, key, link.remote.length(&key_bytes(key)?))?;
    check_replies(&live, link, key, &replies)?;
    Ok(match replies.first() {
        Some(Ok(Reply::Integer(length))) => (length - HEADER).max(0),
        _ => 0,
    })
}

/// What a header comes to for who does not have the value.
fn outcome_of(head: Head) -> Outcome {
    match head {
        Head::Tagged(_) | Head::Named(_) => Outcome::Changed,
        Head::Absent => Outcome::Gone,
        Head::Leased(_) => Outcome::Leased,
        Head::Rejected(reason) => Outcome::of_rejection(reason),
    }
}

/// For each key what came of it and the string's first bytes. What came is `[encoded
/// String or Integer, etag, nanoseconds to live or nil, time as of which, removals so
/// far]`, one of `outcomes`, or a CodecError. One pipeline.
fn pull(store: Value, keys: RArray, outcomes: RArray) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let ruby = live.ruby();
    let link = link(opened)?;
    let removals = link.removals.load(Ordering::SeqCst);
    let names: Vec<Vec<u8>> = keys
        .into_iter()
        .map(key_bytes)
        .collect::<Result<_, Error>>()?;
    let operation = link.remote.get(names.iter().map(Vec::as_slice));
    let (got, sent_at) = ask(&live, link, key_or_keys(keys)?, operation)?;
    let pulled = ruby.ary_new_capa(got.len());
    for (index, got) in got.into_iter().enumerate() {
        let key = keys.entry(index as isize)?;
        let failure = |error: RemoteError| errors::remote(&ruby, &error, link.remote.server(), key);
        let got = got.map_err(failure)?;
        let header = ruby.str_from_slice(&got.header);
        let result = match got.body {
            Body::Undecodable(error) => error_value(&ruby, failure(error))?,
            body => pulled_parts(&ruby, body, got.expiry, (sent_at, removals), outcomes)?,
        };
        let pair = ruby.ary_new_capa(2);
        pair.push(result)?;
        pair.push(header)?;
        pulled.push(pair)?;
    }
    Ok(pulled)
}

fn pulled_parts(
    ruby: &Ruby,
    body: Body,
    expiry: Expiry,
    (sent_at, removals): (Nanos, u64),
    outcomes: RArray,
) -> Result<Value, Error> {
    let (payload, etag) = match body {
        Body::Value { encoded, etag } => (ruby.str_from_slice(&encoded).as_value(), etag),
        Body::Integer(number) => (number.into_value_with(ruby), Etag::of_integer(number)),
        Body::Absent => return Outcome::Gone.of(outcomes),
        Body::Leased => return Outcome::Leased.of(outcomes),
        Body::Rejected(reason) => return Outcome::of_rejection(reason).of(outcomes),
        Body::Undecodable(error) => {
            return Err(Error::new(ruby.exception_fatal(), error.to_string()));
        }
    };
    let nanos = match expiry {
        Expiry::After(left) => u64::try_from(left.as_nanos()).ok(),
        Expiry::Never | Expiry::Kept => None,
    };
    let parts = ruby.ary_new_capa(5);
    parts.push(payload)?;
    parts.push(text(ruby, &etag))?;
    parts.push(nanos)?;
    parts.push(sent_at)?;
    parts.push(removals)?;
    Ok(parts.as_value())
}

/// An exception as an object, to be raised by the face for its own key alone.
fn error_value(ruby: &Ruby, error: Error) -> Result<Value, Error> {
    match error.error_type() {
        magnus::error::ErrorType::Exception(exception) => Ok(exception.into_value_with(ruby)),
        _ => Err(error),
    }
}

pub(super) fn init(remote: RModule) -> Result<(), Error> {
    remote.define_method("get", method!(get, -1))?;
    remote.define_method("[]", method!(aref, 1))?;
    remote.define_private_method("_look", method!(look, 3))?;
    remote.define_private_method("_look_entry", method!(look_entry, 4))?;
    remote.define_private_method("_look_multi", method!(look_multi, 3))?;
    remote.define_private_method("_tag_at_server", method!(tag_at_server, 2))?;
    remote.define_private_method("_name_at_server", method!(name_at_server, 2))?;
    remote.define_private_method("_spared_bytes", method!(spared_bytes, 1))?;
    remote.define_private_method("_pull", method!(pull, 2))?;
    Ok(())
}
