//! Operations on a cache and its eviction policy, against a naive model; all
//! structures are validated after each step.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ccache_core::model::follow(bytes));
