//! Stored is not rooted (G3): the cases in `ui/` must not compile, each with the
//! message beside it, and the one in `ui/pass/` must.
//!
//! The messages are rustc's. After a change of toolchain, read what
//! `TRYBUILD=overwrite cargo test --package ccache --test ui` makes of them.

#[test]
fn an_object_leaves_its_pin_by_proof_alone() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/*.rs");
}
