//! The Ruby binding of ccache. All `unsafe` of the project lives in this crate,
//! each block with the invariant (G1 to G9 in `docs/gc-and-pins.md`) that it
//! rests on. This file only wires.

#![allow(missing_docs)] // public for the tests of this crate; its users write Ruby

use magnus::{Error, Ruby};

mod arguments;
mod departures;
mod errors;
mod fork;
mod gvl;
#[doc(hidden)]
pub mod handle;
mod heap;
mod methods;
#[doc(hidden)]
pub mod pin_list;
mod reaper;
mod remote;
mod resizing;
mod segment;
mod snapshot;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod stored;
mod tally;
#[cfg(feature = "testing")]
mod testing;
mod typed_data;

#[magnus::init(name = "ccache")]
fn init(ruby: &Ruby) -> Result<(), Error> {
    // SAFETY: this crate's statics are atomics and locks of its own, never VALUEs
    // (G1), so its methods may run in any Ractor; called before any is defined.
    unsafe { rb_sys::rb_ext_ractor_safe(true) };
    fork::init(ruby)?;
    let ccache = ruby.define_module("Ccache")?;
    segment::init(ruby, ccache)?;
    methods::init(ruby, ccache)?;
    remote::init(ccache)?;
    tally::init(ccache)?;
    #[cfg(feature = "testing")]
    testing::init(ruby, ccache)?;
    Ok(())
}
