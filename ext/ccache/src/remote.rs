//! The methods of a store with a server, private vocabulary of
//! `lib/ccache/remote.rs`, and the two public ones that are hot: `get` and `[]`.
//!
//! A read finds the entry in memory, asks the server whether its tag still holds
//! without the GVL, and answers with the object of that very entry, which its
//! `Arc` has kept pinned meanwhile, whatever happened to the map.

use crate::arguments::{FrozenBytes, Key, key_bytes, optional_etag, string_bytes};
use crate::errors;
use crate::gvl::{wait_for, without_gvl};
use crate::handle::Live;
use crate::methods::{face, seconds, text};
use crate::pin_list::PinList;
use crate::store::{Opened, open, opened};
use crate::stored::{Stored, Taken};
use ccache_core::remote::{
    Address, Body, Compared, Compressor, Expiry, Format, Head, Operation, Rejected, Remote,
    RemoteError, Reply, Server, ServerCondition, SigningKey, Tag, Tls, tag_of,
};
use ccache_core::{Clock, Condition, Entry, Etag, NEVER, Nanos};
use magnus::value::ReprValue;
use magnus::{
    Error, IntoValue, Module, RArray, RClass, RHash, RModule, RString, Ruby, Symbol, TryConvert,
    Value, method,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The server, and how this store asks it.
pub(crate) struct Link {
    remote: Remote,
    /// A read may be answered without asking for so long after a validation.
    max_age: Nanos,
    /// Whether a plain `get` is nothing but that.
    has_plain_reads: bool,
    /// Counts removals in this process, for those who install meanwhile.
    removals: AtomicU64,
}

impl Link {
    /// `settings` were checked by the face.
    pub(crate) fn new(settings: RHash, clock: &Clock) -> Result<Self, Error> {
        let settings = Settings(settings);
        let namespace: RString = settings.get("namespace")?;
        let namespace = string_bytes(namespace);
        Ok(Self {
            remote: Remote::new(
                settings.server()?,
                &namespace,
                settings.format()?,
                clock.clone(),
            ),
            max_age: settings.get("max_age")?,
            has_plain_reads: settings.get("has_plain_reads")?,
            removals: AtomicU64::new(0),
        })
    }

    /// Ends all waiting.
    pub(crate) fn close(&self) {
        self.remote.close();
    }
}

/// A Hash with Symbols as keys.
struct Settings(RHash);

impl Settings {
    fn get<T: TryConvert>(&self, name: &str) -> Result<T, Error> {
        let ruby = Ruby::get_with(self.0);
        self.0
            .lookup::<_, Value>(ruby.to_symbol(name))
            .and_then(T::try_convert)
    }

    fn duration(&self, name: &str) -> Result<Duration, Error> {
        self.get(name).map(Duration::from_nanos)
    }

    fn server(&self) -> Result<Server, Error> {
        let address = match self.get::<Option<PathBuf>>("path")? {
            Some(path) => Address::Unix(path),
            None => Address::Tcp {
                host: self.get("host")?,
                port: self.get("port")?,
                tls: self.get::<bool>("tls")?.then(|| self.tls()).transpose()?,
            },
        };
        Ok(Server {
            address,
            db: self.get("db")?,
            username: self.get("username")?,
            password: self.get("password")?,
            connect_timeout: self.duration("connect_timeout")?,
            read_timeout: self.duration("read_timeout")?,
            write_timeout: self.duration("write_timeout")?,
        })
    }

    fn tls(&self) -> Result<Tls, Error> {
        Ok(Tls {
            ca_file: self.get("ca_file")?,
            cert: self.get("cert")?,
            key: self.get("key")?,
            accept_any: self.get("accept_any")?,
        })
    }

    fn format(&self) -> Result<Format, Error> {
        let secrets: RArray = self.get("signing_keys")?;
        let keys = secrets.into_iter().map(|secret| {
            let secret = RString::try_convert(secret)?;
            Ok(SigningKey::derive(&string_bytes(secret)))
        });
        Ok(Format {
            coder: self.get("coder")?,
            compressor: match self.get::<String>("compressor")?.as_str() {
                "zstd" => Compressor::Zstd,
                "lz4" => Compressor::Lz4,
                _ => Compressor::None,
            },
            compress_from: self.get("compress_from")?,
            max_value_bytes: self.get("max_value_bytes")?,
            signing_keys: keys.collect::<Result<_, Error>>()?,
        })
    }
}

/// What asking after an entry in memory came to.
enum Looked {
    /// It is what the key holds, or was so recently enough.
    Holds(Arc<Entry<Stored>>),
    /// It is not, or there is none in memory: why. In the order of the face's
    /// `Remote::OUTCOMES`.
    Otherwise(Outcome),
}

/// In the order of the face's `Remote::OUTCOMES`.
#[derive(Clone, Copy)]
enum Outcome {
    Unknown,
    Changed,
    Gone,
    Leased,
    Foreign,
    Unverified,
}

impl Outcome {
    fn of_rejection(reason: Rejected) -> Self {
        match reason {
            Rejected::Foreign => Self::Foreign,
            Rejected::Unverified => Self::Unverified,
        }
    }

    fn of(self, outcomes: RArray) -> Result<Value, Error> {
        outcomes.entry(self as isize)
    }
}

fn link(opened: &Opened) -> Result<&Link, Error> {
    opened.shelf.link().ok_or_else(|| {
        #[allow(clippy::unwrap_used)] // a method runs, so there is a Ruby
        let ruby = Ruby::get().unwrap();
        Error::new(ruby.exception_fatal(), "this store has no server")
    })
}

/// `store[key]`.
fn aref(store: Value, key: Value) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    if link.has_plain_reads
        && let Looked::Holds(entry) = look_up(&live, opened, link, key, link.max_age)?
    {
        return value_of(&live, &entry);
    }
    face(store, c"get_with", &[key])
}

/// `store.get(key)`; with keywords the face's `get_with`.
fn get(store: Value, args: &[Value]) -> Result<Value, Error> {
    match args {
        [key] => aref(store, *key),
        _ => face(store, c"get_with", args),
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
        Looked::Holds(entry) => value_of(&live, &entry),
        Looked::Otherwise(outcome) => outcome.of(outcomes),
    }
}

/// As `read_entry` for the entry of `key` if it holds, else one of `outcomes`.
fn look_entry(
    store: Value,
    key: Value,
    known: Value,
    max_age: Option<Nanos>,
    outcomes: RArray,
) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let known = optional_etag(known)?;
    match look_up(&live, opened, link, key, max_age.unwrap_or(link.max_age))? {
        Looked::Holds(entry) => Ok(parts_of(&live, opened, &entry, known.as_ref())?.as_value()),
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
    let max_age = max_age.unwrap_or(link.max_age);
    let now = opened.shelf.clock().now();
    let mut found = Vec::with_capacity(keys.len());
    let mut asked = Vec::new();
    for key in keys.into_iter() {
        let key = Key::new(key)?;
        // SAFETY: the key is an element of an argument; the look-up calls no Ruby.
        let entry = opened.shelf.find(unsafe { key.bytes() });
        if let Some(entry) = &entry
            && !is_fresh(entry, max_age, now)
        {
            asked.push(Arc::clone(entry));
        }
        found.push(entry);
    }
    let mut answers = Vec::new();
    let mut sent_at = now;
    if !asked.is_empty() {
        let operation = link.remote.validate(asked.iter().map(|entry| entry.key()));
        (answers, sent_at) = ask(&live, link, keys.as_value(), operation)?;
    }
    let mut answers = answers.into_iter();
    let looked = live.ruby().ary_new_capa(found.len());
    let mut all_hold = true;
    for (index, entry) in found.into_iter().enumerate() {
        let value = match entry {
            None => {
                all_hold = false;
                Outcome::Unknown.of(outcomes)?
            }
            Some(entry) if is_fresh(&entry, max_age, now) => {
                opened.shelf.counters().hits.increment();
                value_of(&live, &entry)?
            }
            Some(entry) => {
                let head = answers.next().unwrap_or(Ok(Head::Absent));
                let head = head.map_err(|error| {
                    let key = keys.entry(index as isize).unwrap_or(keys.as_value());
                    errors::remote(&live.ruby(), &error, link.remote.server(), key)
                })?;
                match judge(opened, entry, head, sent_at) {
                    Looked::Holds(entry) => value_of(&live, &entry)?,
                    Looked::Otherwise(outcome) => {
                        all_hold = false;
                        outcome.of(outcomes)?
                    }
                }
            }
        };
        looked.push(value)?;
    }
    if !all_hold {
        return Ok(looked.as_value());
    }
    let held = live.ruby().hash_new();
    for index in 0..keys.len() as isize {
        held.aset(keys.entry::<Value>(index)?, looked.entry::<Value>(index)?)?;
    }
    Ok(held.as_value())
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
        return Ok(Looked::Holds(entry));
    }
    let (heads, sent_at) = ask(live, link, key, link.remote.validate([entry.key()]))?;
    let head = heads.into_iter().next().unwrap_or(Ok(Head::Absent));
    let head =
        head.map_err(|error| errors::remote(&live.ruby(), &error, link.remote.server(), key))?;
    Ok(judge(opened, entry, head, sent_at))
}

fn is_fresh(entry: &Entry<Stored>, max_age: Nanos, now: Nanos) -> bool {
    max_age > 0 && now.saturating_sub(entry.validated()) <= max_age
}

/// What the server's answer says of the entry that was in memory.
fn judge(opened: &Opened, entry: Arc<Entry<Stored>>, head: Head, sent_at: Nanos) -> Looked {
    let outcome = match head {
        Head::Tagged(tag) if tag == tag_of(entry.etag()) => {
            entry.validate(sent_at);
            opened.shelf.counters().hits.increment();
            opened.shelf.counters().not_modified.increment();
            return Looked::Holds(entry);
        }
        Head::Tagged(_) => Outcome::Changed,
        Head::Absent => Outcome::Gone,
        Head::Leased(_) => Outcome::Leased,
        Head::Rejected(reason) => Outcome::of_rejection(reason),
    };
    if !matches!(outcome, Outcome::Changed) {
        let this_one = Condition::IfMatch(entry.etag().clone());
        drop(opened.shelf.remove(entry.key(), &this_one));
    }
    Looked::Otherwise(outcome)
}

fn value_of(live: &Live<'_>, entry: &Entry<Stored>) -> Result<Value, Error> {
    match entry.value().take(live) {
        Taken::Encoded(bytes) => decode(live, &bytes),
        other => other.into_object(live),
    }
}

/// By the store's coder, which is Ruby's.
fn decode(live: &Live<'_>, bytes: &[u8]) -> Result<Value, Error> {
    let encoded = live.ruby().str_from_slice(bytes);
    face(live.object(), c"decode", &[encoded.as_value()])
}

/// `[value, etag, age in s, time to live in s or nil, whether the value is the
/// reader's own]`.
fn parts_of(
    live: &Live<'_>,
    opened: &Opened,
    entry: &Entry<Stored>,
    known: Option<&Etag>,
) -> Result<RArray, Error> {
    let ruby = live.ruby();
    let value = if known == Some(entry.etag()) {
        ruby.qnil().as_value()
    } else {
        value_of(live, entry)?
    };
    let now = opened.shelf.clock().now();
    let parts = ruby.ary_new_capa(5);
    parts.push(value)?;
    parts.push(text(&ruby, entry.etag()))?;
    parts.push(seconds(now.saturating_sub(entry.validated())))?;
    let ttl = (entry.deadline() != NEVER).then(|| seconds(entry.deadline().saturating_sub(now)));
    parts.push(ttl)?;
    parts.push(matches!(entry.value(), Stored::Encoded(_)))?;
    Ok(parts)
}

/// Waits for the server; its errors are raised.
fn ask<O: Operation>(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    operation: O,
) -> Result<O::Output, Error> {
    let ruby = live.ruby();
    wait_for(&ruby, operation)?
        .map_err(|error| errors::remote(&ruby, &error, link.remote.server(), key))
}

/// The tag of what the server holds for `key`: nil for nothing, an etag, an
/// Integer, `:given` if it is the caller's own and stands in the value, or one of
/// `outcomes`.
fn tag_at_server(store: Value, key: Value, outcomes: RArray) -> Result<Value, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let bytes = key_bytes(key)?;
    let (heads, _) = ask(&live, link, key, link.remote.validate([&*bytes]))?;
    let head = heads.into_iter().next().unwrap_or(Ok(Head::Absent));
    let head =
        head.map_err(|error| errors::remote(&live.ruby(), &error, link.remote.server(), key))?;
    match head {
        Head::Tagged(tag) => {
            let known = opened.shelf.peek(&bytes);
            let known = known.filter(|entry| tag_of(entry.etag()) == tag);
            match known {
                Some(entry) => Ok(text(&live.ruby(), entry.etag()).as_value()),
                None => Outcome::Changed.of(outcomes),
            }
        }
        Head::Absent => Outcome::Gone.of(outcomes),
        Head::Leased(_) => Outcome::Leased.of(outcomes),
        Head::Rejected(reason) => Outcome::of_rejection(reason).of(outcomes),
    }
}

/// For each key `[encoded String or Integer, etag, nanoseconds to live or nil, time
/// as of which, removals so far]`, or one of `outcomes`. One pipeline.
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
    let (got, sent_at) = ask(&live, link, keys.as_value(), operation)?;
    let pulled = ruby.ary_new_capa(got.len());
    for (index, got) in got.into_iter().enumerate() {
        let got = match got {
            Ok(got) => got,
            Err(error) => {
                let key = keys.entry(index as isize)?;
                let error = errors::remote(&ruby, &error, link.remote.server(), key);
                pulled.push(error_value(&ruby, error)?)?;
                continue;
            }
        };
        let (payload, etag) = match got.body {
            Body::Value { encoded, etag } => (ruby.str_from_slice(&encoded).as_value(), etag),
            Body::Integer(number) => (number.into_value_with(&ruby), Etag::of_integer(number)),
            Body::Absent => {
                pulled.push(Outcome::Gone.of(outcomes)?)?;
                continue;
            }
            Body::Leased => {
                pulled.push(Outcome::Leased.of(outcomes)?)?;
                continue;
            }
            Body::Rejected(reason) => {
                pulled.push(Outcome::of_rejection(reason).of(outcomes)?)?;
                continue;
            }
        };
        let nanos = match got.expiry {
            Expiry::After(left) => Some(left.as_nanos() as u64),
            _ => None,
        };
        let parts = ruby.ary_new_capa(5);
        parts.push(payload)?;
        parts.push(text(&ruby, &etag))?;
        parts.push(nanos)?;
        parts.push(sent_at)?;
        parts.push(removals)?;
        pulled.push(parts)?;
    }
    Ok(pulled)
}

/// An exception as an object, to be raised by the face for its own key alone.
fn error_value(ruby: &Ruby, error: Error) -> Result<Value, Error> {
    match error.error_type() {
        magnus::error::ErrorType::Exception(exception) => Ok(exception.into_value_with(ruby)),
        _ => Err(error),
    }
}

/// How often something was removed in this process.
fn removals_so_far(store: Value) -> Result<u64, Error> {
    let (_live, opened) = open(&store)?;
    Ok(link(opened)?.removals.load(Ordering::SeqCst))
}

/// Whether nothing was removed in this process since then.
fn is_unremoved(store: Value, removals: u64) -> Result<bool, Error> {
    let (_live, opened) = open(&store)?;
    Ok(link(opened)?.removals.load(Ordering::SeqCst) == removals)
}

/// One value to write, encoded.
struct Encoded {
    key: Vec<u8>,
    wire: Vec<u8>,
    etag: Etag,
}

/// What goes to the server for `payload`: encoded, compressed, tagged and signed
/// without the GVL.
fn encode(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    payload: Value,
    given: Option<Etag>,
) -> Result<Encoded, Error> {
    let ruby = live.ruby();
    let name = key_bytes(key)?;
    let (wire, etag) = match RString::from_value(payload) {
        None => {
            let number = i64::try_convert(payload)?;
            (number.to_string().into_bytes(), Etag::of_integer(number))
        }
        Some(payload) => {
            let payload = FrozenBytes::new(payload)?;
            let (format, server_key) = (link.remote.format(), link.remote.server_key(&name));
            let encoded = payload.bytes();
            let work = move || format.encode(&server_key, encoded, given.as_ref());
            let encoded = if encoded.len() < ENCODED_AT_ONCE {
                work()
            } else {
                without_gvl(&ruby, work)?
            };
            encoded.map_err(|error| errors::remote(&ruby, &error, link.remote.server(), key))?
        }
    };
    Ok(Encoded {
        key: name,
        wire,
        etag,
    })
}

/// Bytes that are compressed and tagged faster than the GVL is handed over twice.
const ENCODED_AT_ONCE: usize = 4096;

/// Writes `key` on the server: `[etag, time as of which]`, or nil if the
/// condition does not hold.
fn push(
    store: Value,
    key: Value,
    payload: Value,
    given_etag: Value,
    lifetime: Value,
    kind: Symbol,
    operand: Value,
) -> Result<Option<RArray>, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let expiry = expiry(lifetime, opened)?;
    let condition = server_condition(kind, operand)?;
    let encoded = encode(&live, link, key, payload, optional_etag(given_etag)?)?;
    let remote = &link.remote;
    let sent_at = match (condition, expiry) {
        (ServerCondition::Always, expiry) => {
            let set = remote.set([(&*encoded.key, &*encoded.wire)], expiry);
            let (replies, sent_at) = ask(&live, link, key, set)?;
            check_replies(&live, link, key, &replies)?;
            Some(sent_at)
        }
        (ServerCondition::Free, Expiry::Never | Expiry::After(_)) if kind.name()? == "new" => {
            let set = remote.set_new(&encoded.key, &encoded.wire, expiry);
            let (replies, sent_at) = ask(&live, link, key, set)?;
            check_replies(&live, link, key, &replies)?;
            (replies.first() == Some(&Ok(Reply::Okay))).then_some(sent_at)
        }
        (condition, expiry) => {
            let operation =
                remote.compare_and_set(&encoded.key, Some(&encoded.wire), expiry, &condition);
            let (compared, sent_at) = ask(&live, link, key, operation)?;
            (compared == Compared::Done).then_some(sent_at)
        }
    };
    let Some(sent_at) = sent_at else {
        return Ok(None);
    };
    Ok(Some(written(&live.ruby(), &encoded.etag, sent_at)?))
}

/// Writes many keys unconditionally, in one pipeline: for each `[etag, time as
/// of which]`. `values` are pairs of key and payload.
fn push_multi(store: Value, values: RArray, lifetime: Value) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let ruby = live.ruby();
    let link = link(opened)?;
    let expiry = expiry(lifetime, opened)?;
    let mut encoded = Vec::with_capacity(values.len());
    for pair in values.into_iter() {
        let pair = RArray::try_convert(pair)?;
        encoded.push(encode(&live, link, pair.entry(0)?, pair.entry(1)?, None)?);
    }
    let pairs = encoded.iter().map(|one| (&*one.key, &*one.wire));
    let set = link.remote.set(pairs, expiry);
    let (replies, sent_at) = ask(&live, link, values.as_value(), set)?;
    check_replies(&live, link, ruby.qnil().as_value(), &replies)?;
    let written_all = ruby.ary_new_capa(encoded.len());
    for one in &encoded {
        written_all.push(written(&ruby, &one.etag, sent_at)?)?;
    }
    Ok(written_all)
}

fn written(ruby: &Ruby, etag: &Etag, sent_at: Nanos) -> Result<RArray, Error> {
    let written = ruby.ary_new_capa(2);
    written.push(text(ruby, etag))?;
    written.push(sent_at)?;
    Ok(written)
}

fn check_replies(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    replies: &[Result<Reply, RemoteError>],
) -> Result<(), Error> {
    let failed = replies.iter().find_map(|reply| reply.as_ref().err());
    match failed {
        None => Ok(()),
        Some(error) => Err(errors::remote(
            &live.ruby(),
            error,
            link.remote.server(),
            key,
        )),
    }
}

/// Removes keys on the server: for each whether it was there.
fn delete_at_server(store: Value, keys: RArray) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let ruby = live.ruby();
    let link = link(opened)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys.into_iter() {
        names.push(key_bytes(key)?);
    }
    let operation = link.remote.delete(names.iter().map(Vec::as_slice));
    let (replies, _) = ask(&live, link, keys.as_value(), operation)?;
    check_replies(&live, link, keys.as_value(), &replies)?;
    let deleted = ruby.ary_new_capa(replies.len());
    for reply in &replies {
        deleted.push(*reply == Ok(Reply::Integer(1)))?;
    }
    Ok(deleted)
}

/// Removes `key` on the server: whether it was there, or nil if the condition
/// does not hold.
fn delete_at_server_if(
    store: Value,
    key: Value,
    kind: Symbol,
    operand: Value,
) -> Result<Option<bool>, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let condition = server_condition(kind, operand)?;
    let bytes = key_bytes(key)?;
    let operation = link
        .remote
        .compare_and_set(&bytes, None, Expiry::Never, &condition);
    let (compared, _) = ask(&live, link, key, operation)?;
    Ok(match compared {
        Compared::Done => Some(true),
        Compared::Nothing => Some(false),
        Compared::PreconditionFailed => None,
    })
}

/// Forgets `key` in this process.
fn drop_local(store: Value, key: Value) -> Result<(), Error> {
    let (live, opened) = open(&store)?;
    link(opened)?.removals.fetch_add(1, Ordering::SeqCst);
    let key = Key::new(key)?;
    // SAFETY: the key is an argument; the removal calls no Ruby.
    drop(
        opened
            .shelf
            .remove(unsafe { key.bytes() }, &Condition::Always),
    );
    PinList::tidy(&live)
}

/// Forgets everything in this process: how many entries there were.
fn drop_all_local(ruby: &Ruby, store: Value) -> Result<usize, Error> {
    let (live, opened) = open(&store)?;
    link(opened)?.removals.fetch_add(1, Ordering::SeqCst);
    crate::methods::drop_all(ruby, &live, &opened.shelf)
}

/// Adds to an integer on the server; nil if that holds none that it can add to.
fn increment_at_server(
    store: Value,
    key: Value,
    by: i64,
    lifetime: Value,
) -> Result<Option<i64>, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    if !link.remote.format().has_plain_integers() {
        return Ok(None);
    }
    let expiry = expiry(lifetime, opened)?;
    let bytes = key_bytes(key)?;
    let operation = link.remote.increment(&bytes, by, expiry);
    let (replies, _) = ask(&live, link, key, operation)?;
    match replies.last() {
        Some(Ok(Reply::Integer(number))) => Ok(Some(*number)),
        Some(Err(RemoteError::Server { code, .. })) if code == "ERR" => Ok(None),
        _ => check_replies(&live, link, key, &replies).map(|()| None),
    }
}

/// Takes a lease on the server: whether it was free.
fn lease_at_server(store: Value, key: Value, token: RString, nanos: u64) -> Result<bool, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let bytes = key_bytes(key)?;
    let operation = link
        .remote
        .lease(&bytes, &token_of(token)?, Duration::from_nanos(nanos));
    let (compared, _) = ask(&live, link, key, operation)?;
    Ok(compared == Compared::Done)
}

/// One step through the namespace: the next cursor and how many keys went.
fn clear_step(ruby: &Ruby, store: Value, cursor: RString) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let nil = ruby.qnil().as_value();
    let scan = link.remote.scan(&string_bytes(cursor));
    let (replies, _) = ask(&live, link, nil, scan)?;
    check_replies(&live, link, nil, &replies)?;
    let (next, mut count) = (ruby.ary_new_capa(2), 0);
    let Some(Ok(Reply::Scanned(cursor, keys))) = replies.into_iter().next() else {
        let error = RemoteError::Connection("an unexpected reply to SCAN".to_owned());
        return Err(errors::remote(ruby, &error, link.remote.server(), nil));
    };
    if !keys.is_empty() {
        let (replies, _) = ask(&live, link, nil, link.remote.unlink(&keys))?;
        check_replies(&live, link, nil, &replies)?;
        if let Some(Ok(Reply::Integer(removed))) = replies.first() {
            count = *removed;
        }
    }
    next.push(ruby.str_from_slice(&cursor))?;
    next.push(count)?;
    Ok(next)
}

/// Counts, by the name of the counter, what only the face can see.
fn count(store: Value, name: Symbol) -> Result<(), Error> {
    let (_live, opened) = open(&store)?;
    let counters = opened.shelf.counters();
    match &*name.name()? {
        "misses" => counters.misses.increment(),
        "transfers" => counters.transfers.increment(),
        "foreign" => counters.foreign.increment(),
        "unverified" => counters.unverified.increment(),
        "undecodable" => counters.undecodable.increment(),
        "write_failures" => counters.write_failures.increment(),
        _ => counters.stale.increment(),
    }
    Ok(())
}

/// What `stats` says beside the in-process numbers.
fn remote_stats(ruby: &Ruby, store: Value) -> Result<RHash, Error> {
    let (_live, opened) = open(&store)?;
    let link = link(opened)?;
    let counted = opened.shelf.stats();
    let stats = ruby.hash_new();
    for (name, number) in [
        ("validations", link.remote.validations()),
        ("not_modified", counted.not_modified),
        ("transfers", counted.transfers),
        ("foreign", counted.foreign),
        ("unverified", counted.unverified),
        ("undecodable", counted.undecodable),
        ("write_failures", counted.write_failures),
        ("stale", counted.stale),
        ("connections", link.remote.connections()),
    ] {
        stats.aset(ruby.to_symbol(name), number)?;
    }
    Ok(stats)
}

/// The server's address, without credentials. Also of a closed store.
fn server(store: Value) -> Result<String, Error> {
    let (_live, opened) = opened(&store)?;
    Ok(link(opened)?.remote.server().to_string())
}

fn expiry(lifetime: Value, opened: &Opened) -> Result<Expiry, Error> {
    use ccache_core::Lifetime;
    Ok(
        match crate::arguments::lifetime(lifetime, opened.lifetime)? {
            Lifetime::Unlimited => Expiry::Never,
            Lifetime::For(nanos) => Expiry::After(Duration::from_nanos(nanos)),
            Lifetime::Kept => Expiry::Kept,
        },
    )
}

fn server_condition(kind: Symbol, operand: Value) -> Result<ServerCondition, Error> {
    Ok(match &*kind.name()? {
        "absent" => ServerCondition::Absent,
        "new" | "free" => ServerCondition::Free,
        "is" => ServerCondition::Is(crate::arguments::etag(operand)?),
        "is_not" => ServerCondition::IsNot(crate::arguments::etag(operand)?),
        "leased" => ServerCondition::Leased(token_of(RString::try_convert(operand)?)?),
        _ => ServerCondition::Always,
    })
}

/// A lease's token: 16 bytes, which the face made.
fn token_of(token: RString) -> Result<Tag, Error> {
    let bytes = string_bytes(token);
    Tag::try_from(bytes).map_err(|_| errors::invalid_etag(token.as_value()))
}

pub(crate) fn init(ccache: RModule) -> Result<(), Error> {
    let store: RClass = ccache.const_get("Store")?;
    let remote = store.define_module("Remote")?;
    remote.define_method("get", method!(get, -1))?;
    remote.define_method("[]", method!(aref, 1))?;
    remote.define_private_method("look", method!(look, 3))?;
    remote.define_private_method("look_entry", method!(look_entry, 4))?;
    remote.define_private_method("look_multi", method!(look_multi, 3))?;
    remote.define_private_method("tag_at_server", method!(tag_at_server, 2))?;
    remote.define_private_method("pull", method!(pull, 2))?;
    remote.define_private_method("is_unremoved", method!(is_unremoved, 1))?;
    remote.define_private_method("removals_so_far", method!(removals_so_far, 0))?;
    remote.define_private_method("push", method!(push, 6))?;
    remote.define_private_method("push_multi", method!(push_multi, 2))?;
    remote.define_private_method("delete_at_server", method!(delete_at_server, 1))?;
    remote.define_private_method("delete_at_server_if", method!(delete_at_server_if, 3))?;
    remote.define_private_method("drop_local", method!(drop_local, 1))?;
    remote.define_private_method("drop_all_local", method!(drop_all_local, 0))?;
    remote.define_private_method("increment_at_server", method!(increment_at_server, 3))?;
    remote.define_private_method("lease_at_server", method!(lease_at_server, 3))?;
    remote.define_private_method("clear_step", method!(clear_step, 1))?;
    remote.define_private_method("count", method!(count, 1))?;
    remote.define_private_method("remote_stats", method!(remote_stats, 0))?;
    remote.define_private_method("server", method!(server, 0))?;
    Ok(())
}
