//! Other bounds for a store in use, and the memory that a smaller one needs no more.

use crate::departures;
use crate::gvl::without_gvl;
use crate::heap;
use crate::methods::key_string;
use crate::pin_list::PinList;
use crate::snapshot::Snapshot;
use crate::store::open;
use crate::stored::Stored;
use ccache_core::Bounds;
use ccache_core::slots::SLOTS;
use magnus::{Error, Module, RArray, RClass, RHash, Ruby, Symbol, TryConvert, Value, method};
use std::num::NonZero;
use std::sync::Arc;

/// Pins are moved together if fewer slots than one in so many are in use.
const SPARSE: usize = 4;

/// How many entries are looked at before other threads may run.
const BATCH: usize = 1024;

/// The bounds, of entries and of bytes; nil for none.
fn bounds(ruby: &Ruby, store: Value) -> Result<RArray, Error> {
    let (_live, opened) = open(&store)?;
    let bounds = opened.shelf.bounds();
    let pair = ruby.ary_new_capa(2);
    pair.push(bounds.max_entries.map(NonZero::get))?;
    pair.push(bounds.max_bytes.map(NonZero::get))?;
    Ok(pair)
}

/// Changes the bounds, and evicts what they no longer allow; a Symbol stands for a bound
/// that stays. Runs without the GVL.
fn change_bounds(
    ruby: &Ruby,
    store: Value,
    max_entries: Value,
    max_bytes: Value,
) -> Result<(), Error> {
    let (live, opened) = open(&store)?;
    let shelf = Arc::clone(&opened.shelf);
    let (max_entries, max_bytes) = (changed(max_entries)?, changed(max_bytes)?);
    without_gvl(ruby, move || {
        let change = |now: Bounds| Bounds {
            max_entries: max_entries.map_or(now.max_entries, |new| new.and_then(NonZero::new)),
            max_bytes: max_bytes.map_or(now.max_bytes, |new| new.and_then(NonZero::new)),
        };
        shelf.change_bounds(change, |displaced| shelf.depart(displaced));
    })?;
    PinList::tidy(&live)?;
    departures::tell(store, &opened.shelf)
}

/// A bound or none, if it changes at all.
fn changed<T: TryConvert>(bound: Value) -> Result<Option<Option<T>>, Error> {
    match Symbol::from_value(bound) {
        Some(_kept) => Ok(None),
        None => Option::<T>::try_convert(bound).map(Some),
    }
}

/// Whether most slots of the pin list are free.
fn is_sparse(store: Value) -> Result<bool, Error> {
    let (live, _) = open(&store)?;
    let slots = live.store().pins().segments() * SLOTS;
    Ok(PinList::count(&live)? * SPARSE < slots)
}

/// Pins the objects of some entries of a snapshot anew, so that they stand side by side
/// and the segments in which they were alone can go: whether there are more.
fn gather(store: Value, snapshot: Value) -> Result<bool, Error> {
    let (live, opened) = open(&store)?;
    for _ in 0..BATCH {
        let Some(entry) = Snapshot::next(&snapshot)? else {
            PinList::tidy(&live)?;
            departures::tell(store, &opened.shelf)?;
            return Ok(false);
        };
        let Stored::Pinned(handle) = entry.value() else {
            continue;
        };
        let Some(object) = handle.root(&live) else {
            return Err(crate::errors::foreign_pin(&live));
        };
        let stored = Stored::object(&live, object.value())?;
        // If the entry is gone by now, the pin goes with what comes back.
        if let Ok(exchanged) = opened.shelf.exchange(&entry, stored) {
            opened.shelf.depart_all(exchanged.displaced);
        }
    }
    Ok(true)
}

/// Gives what is free now back to the system.
fn trim(ruby: &Ruby, _store: Value) -> Result<(), Error> {
    without_gvl(ruby, heap::give_back)
}

/// The keys that were used most lately, each with about how often; the most used first.
fn popular(ruby: &Ruby, store: Value, most: usize) -> Result<RHash, Error> {
    let (_live, opened) = open(&store)?;
    let hottest = opened.shelf.hottest(most);
    let popular = ruby.hash_new();
    for (entry, uses) in hottest {
        popular.aset(key_string(ruby, entry.key()), uses)?;
    }
    Ok(popular)
}

pub(crate) fn init(store: RClass) -> Result<(), Error> {
    store.define_private_method("_bounds", method!(bounds, 0))?;
    store.define_private_method("_change_bounds", method!(change_bounds, 2))?;
    store.define_private_method("_sparse?", method!(is_sparse, 0))?;
    store.define_private_method("_gather", method!(gather, 1))?;
    store.define_private_method("_trim", method!(trim, 0))?;
    store.define_private_method("_popular", method!(popular, 1))?;
    Ok(())
}
