//! Writes and removals, on the server and in memory.

use super::{Link, ask, asked, check_replies, key_or_keys, link};
use crate::arguments::{self, FrozenBytes, Key, key_bytes, optional_etag, string_bytes};
use crate::errors;
use crate::gvl::without_gvl;
use crate::handle::Live;
use crate::methods::{drop_all, text};
use crate::pin_list::PinList;
use crate::store::{Opened, open};
use ccache_core::remote::{Compared, Expiry, RemoteError, Reply, ServerCondition, Tag};
use ccache_core::{Condition, Etag, Lifetime, Nanos};
use magnus::value::ReprValue;
use magnus::{Error, Module, RArray, RModule, RString, Ruby, Symbol, TryConvert, Value, method};
use std::sync::atomic::Ordering;
use std::time::Duration;

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
        (condition, expiry) if is_over(expiry) => {
            expire_at_once(&live, link, key, &encoded, &condition)?
        }
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
            if replies.first() == Some(&Ok(Reply::Okay)) {
                Some(sent_at)
            } else {
                // There is something: an empty string, maybe.
                compare_and_set(&live, link, key, &encoded, expiry, &ServerCondition::Free)?
            }
        }
        (condition, expiry) => compare_and_set(&live, link, key, &encoded, expiry, &condition)?,
    };
    let Some(sent_at) = sent_at else {
        return Ok(None);
    };
    Ok(Some(written(&live.ruby(), &encoded.etag, sent_at)?))
}

/// The time as of which the value stands there, unless the condition did not hold.
fn compare_and_set(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    encoded: &Encoded,
    expiry: Expiry,
    condition: &ServerCondition,
) -> Result<Option<Nanos>, Error> {
    let wire = Some(&*encoded.wire);
    let operation = link
        .remote
        .compare_and_set(&encoded.key, wire, expiry, condition);
    let (compared, sent_at) = ask(live, link, key, operation)?;
    Ok((compared == Compared::Done).then_some(sent_at))
}

fn is_over(expiry: Expiry) -> bool {
    matches!(expiry, Expiry::After(time) if time.is_zero())
}

/// A write whose lifetime is zero: what the key held is gone, if the condition holds.
fn expire_at_once(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    encoded: &Encoded,
    condition: &ServerCondition,
) -> Result<Option<Nanos>, Error> {
    let operation = link
        .remote
        .compare_and_set(&encoded.key, None, Expiry::Never, condition);
    let (compared, sent_at) = ask(live, link, key, operation)?;
    Ok((compared != Compared::PreconditionFailed).then_some(sent_at))
}

/// Writes many keys unconditionally, in one pipeline: for each `[etag, time as
/// of which]`. `values` are pairs of key and payload.
fn push_multi(store: Value, values: RArray, lifetime: Value) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let ruby = live.ruby();
    let link = link(opened)?;
    let expiry = expiry(lifetime, opened)?;
    let mut encoded = Vec::with_capacity(values.len());
    let keys = ruby.ary_new_capa(values.len()); // for errors, which show no value
    for pair in values.into_iter() {
        let pair = RArray::try_convert(pair)?;
        let key: Value = pair.entry(0)?;
        keys.push(key)?;
        encoded.push(encode(&live, link, key, pair.entry(1)?, None)?);
    }
    let concerned = key_or_keys(keys)?;
    let sent_at = if is_over(expiry) {
        let sent_at = link.clock.now();
        let names = encoded.iter().map(|one| &*one.key);
        ask(&live, link, concerned, link.remote.delete(names))?;
        sent_at
    } else {
        let pairs = encoded.iter().map(|one| (&*one.key, &*one.wire));
        let (replies, sent_at) = ask(&live, link, concerned, link.remote.set(pairs, expiry))?;
        check_replies(&live, link, concerned, &replies)?;
        sent_at
    };
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
    let removed = ask(&live, link, key_or_keys(keys)?, operation)?;
    Ok(ruby.ary_from_vec(removed))
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
            .take_out(unsafe { key.bytes() }, &Condition::Always),
    );
    opened.shelf.ring(); // this may be an `ensure`, and no place for the listener
    PinList::tidy(&live)
}

/// Forgets everything in this process: how many entries there were.
fn drop_all_local(ruby: &Ruby, store: Value) -> Result<usize, Error> {
    let (live, opened) = open(&store)?;
    link(opened)?.removals.fetch_add(1, Ordering::SeqCst);
    let count = drop_all(ruby, &live, &opened.shelf)?;
    opened.shelf.ring();
    Ok(count)
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
    let ruby = live.ruby();
    match asked(&live, link, operation)? {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.is_of_no_integer() => Ok(None),
        Err(error) => Err(errors::remote(&ruby, &error, link.remote.server(), key)),
    }
}

/// Takes a lease on the server: whether it was free, or held what was seen.
fn lease_at_server(
    store: Value,
    key: Value,
    token: RString,
    nanos: u64,
    kind: Symbol,
    operand: Value,
) -> Result<bool, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let bytes = key_bytes(key)?;
    let (token, duration) = (token_of(token)?, Duration::from_nanos(nanos));
    let condition = server_condition(kind, operand)?;
    let operation = link.remote.lease(&bytes, &token, duration, &condition);
    let (compared, _) = ask(&live, link, key, operation)?;
    Ok(compared == Compared::Done)
}

/// One step through the namespace, of the keys that match: the next cursor and how
/// many keys went.
fn clear_step(
    ruby: &Ruby,
    store: Value,
    cursor: RString,
    pattern: RString,
) -> Result<RArray, Error> {
    let (live, opened) = open(&store)?;
    let link = link(opened)?;
    let nil = ruby.qnil().as_value();
    let scan = link
        .remote
        .scan(&string_bytes(cursor), &string_bytes(pattern));
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

fn expiry(lifetime: Value, opened: &Opened) -> Result<Expiry, Error> {
    Ok(match arguments::lifetime(lifetime, opened.lifetime)? {
        Lifetime::Unlimited => Expiry::Never,
        Lifetime::For(nanos) => Expiry::After(Duration::from_nanos(nanos)),
        Lifetime::Kept => Expiry::Kept,
    })
}

fn server_condition(kind: Symbol, operand: Value) -> Result<ServerCondition, Error> {
    Ok(match &*kind.name()? {
        "absent" => ServerCondition::Absent,
        "new" | "free" => ServerCondition::Free,
        "seen" => ServerCondition::Seen(string_bytes(RString::try_convert(operand)?)),
        "is" => ServerCondition::Is(arguments::etag(operand)?),
        "is_not" => ServerCondition::IsNot(arguments::etag(operand)?),
        "leased" => ServerCondition::Leased(token_of(RString::try_convert(operand)?)?),
        _ => ServerCondition::Always,
    })
}

/// A lease's token: 16 bytes, which the face made.
fn token_of(token: RString) -> Result<Tag, Error> {
    let bytes = string_bytes(token);
    Tag::try_from(bytes).map_err(|_| errors::invalid_etag(token.as_value()))
}

pub(super) fn init(remote: RModule) -> Result<(), Error> {
    remote.define_private_method("_push", method!(push, 6))?;
    remote.define_private_method("_push_multi", method!(push_multi, 2))?;
    remote.define_private_method("_delete_at_server", method!(delete_at_server, 1))?;
    remote.define_private_method("_delete_at_server_if", method!(delete_at_server_if, 3))?;
    remote.define_private_method("_drop_local", method!(drop_local, 1))?;
    remote.define_private_method("_drop_all_local", method!(drop_all_local, 0))?;
    remote.define_private_method("_increment_at_server", method!(increment_at_server, 3))?;
    remote.define_private_method("_lease_at_server", method!(lease_at_server, 5))?;
    remote.define_private_method("_clear_step", method!(clear_step, 2))?;
    Ok(())
}
