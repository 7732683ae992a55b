//! The methods of a store with a server: the native part of `Ccache::Store::Remote`,
//! private vocabulary of `lib/ccache/store/remote`, and the two public ones that
//! are hot, `get` and `[]`.

use crate::arguments::string_bytes;
use crate::errors;
use crate::gvl::wait_for;
use crate::handle::Live;
use crate::store::{Opened, open, opened};
use crate::tally;
use ccache_core::remote::{Operation, Rejected, Remote, RemoteError, Reply};
use ccache_core::{Clock, Nanos};
use magnus::value::ReprValue;
use magnus::{Error, Module, RArray, RClass, RHash, RModule, RString, Ruby, Symbol, Value, method};
use settings::Settings;
use std::sync::atomic::{AtomicU64, Ordering};

mod reads;
mod settings;
mod writes;

/// The server, and how this store asks it.
pub(crate) struct Link {
    remote: Remote,
    /// A read may be answered without asking for so long after a validation.
    max_age: Nanos,
    /// Whether a plain `get` is nothing but that.
    has_plain_reads: bool,
    clock: Clock,
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
            clock: clock.clone(),
            removals: AtomicU64::new(0),
        })
    }

    /// Ends all waiting.
    pub(crate) fn close(&self) {
        self.remote.close();
    }
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

/// Waits for the server; its errors are raised.
fn ask<O: Operation>(
    live: &Live<'_>,
    link: &Link,
    key: Value,
    operation: O,
) -> Result<O::Output, Error> {
    asked(live, link, operation)?
        .map_err(|error| errors::remote(&live.ruby(), &error, link.remote.server(), key))
}

/// As `ask`; the server's errors are the caller's to look at.
fn asked<O: Operation>(
    live: &Live<'_>,
    link: &Link,
    operation: O,
) -> Result<Result<O::Output, RemoteError>, Error> {
    tally::timing(|| wait_for(&live.ruby(), &link.clock, operation))
}

/// For errors: the only key, or all of them.
fn key_or_keys(keys: RArray) -> Result<Value, Error> {
    match keys.len() {
        1 => keys.entry(0),
        _ => Ok(keys.as_value()),
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

/// Counts, by the name of the counter, what only the face can see.
fn count(store: Value, name: Symbol) -> Result<(), Error> {
    let (_live, opened) = open(&store)?;
    let counters = opened.shelf.counters();
    match &*name.name()? {
        "misses" => {
            counters.misses.increment();
            tally::read();
        }
        "transfers" => {
            counters.transfers.increment();
            tally::transfer();
        }
        "foreign" => counters.foreign.increment(),
        "unverified" => counters.unverified.increment(),
        "undecodable" => counters.undecodable.increment(),
        "refusals" => counters.refusals.increment(),
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

pub(crate) fn init(ccache: RModule) -> Result<(), Error> {
    let store: RClass = ccache.const_get("Store")?;
    let remote = store.define_module("Remote")?;
    reads::init(remote)?;
    writes::init(remote)?;
    remote.define_private_method("_removals_so_far", method!(removals_so_far, 0))?;
    remote.define_private_method("_is_unremoved", method!(is_unremoved, 1))?;
    remote.define_private_method("_count", method!(count, 1))?;
    remote.define_private_method("_remote_stats", method!(remote_stats, 0))?;
    remote.define_private_method("_server", method!(server, 0))?;
    Ok(())
}
