//! Any string at the server: what is read of it is what would be written.
//!
//! A tag is a hash, which no fuzzer guesses. So half of the inputs get one: the right
//! one for what stands behind the header, as an earlier version or a stranger with
//! our source might have written it.

#![no_main]

use ccache_core::Etag;
use ccache_core::remote::{
    Body, Compressor, Format, Head, SigningKey, Tag, tag_of, tag_of_integer,
};
use libfuzzer_sys::fuzz_target;

const KEY: &[u8] = b"ccache:greeting";
const HEADER: usize = 24;
const HAS_GIVEN_TAG: u8 = 1;

fn format(is_signed: bool) -> Format {
    let signing_keys = is_signed.then(|| SigningKey::derive(b"a-secret-of-32-bytes-for-vectors"));
    Format {
        coder: 1,
        compressor: Compressor::None,
        compress_from: 0,
        max_value_bytes: 1 << 12,
        signing_keys: signing_keys.into_iter().collect(),
    }
}

/// The same string with the tag that it should have, if anything could be in it.
fn with_right_tag(wire: &[u8]) -> Option<Vec<u8>> {
    let mut wire = wire.to_vec();
    let tag = if *wire.get(6)? & HAS_GIVEN_TAG == 0 {
        tag_of_content(&wire)?
    } else {
        let length = usize::from(u16::from_le_bytes([*wire.get(28)?, *wire.get(29)?]));
        tag_of(&Etag::parse(wire.get(30..30 + length)?)?)
    };
    wire.get_mut(8..HEADER)?.copy_from_slice(&tag);
    Some(wire)
}

/// Only of a body that is not compressed.
fn tag_of_content(wire: &[u8]) -> Option<Tag> {
    let (_, etag) = format(false).encode(KEY, wire.get(28..)?, None).ok()?;
    Some(tag_of(&etag))
}

fn check(format: &Format, wire: &[u8]) {
    let head = format.head(&wire[..wire.len().min(HEADER)]);
    let named = format.etag(wire);
    let Ok(body) = format.decode(KEY, wire) else {
        return assert!(matches!(head, Head::Tagged(_) | Head::Named(_)));
    };
    match body {
        Body::Integer(number) => {
            assert_eq!(number.to_string().as_bytes(), wire);
            assert_eq!(head, Head::Tagged(tag_of_integer(number)));
        }
        Body::Value { encoded, etag } => {
            let expected = match head {
                Head::Named(_) => Head::Named(tag_of(&etag)),
                _ => Head::Tagged(tag_of(&etag)),
            };
            assert_eq!(head, expected);
            assert_eq!(named, Ok(etag.clone()));
            check_again(format, wire, &encoded, &etag);
        }
        Body::Leased => assert!(matches!(head, Head::Leased(_))),
        Body::Rejected(_) => {}
        Body::Absent | Body::Undecodable(_) => panic!("{body:?} of a string"),
    }
}

/// What was read is written as the very same bytes, where neither a compressor nor
/// a signature that nobody asks for had a part in it.
fn check_again(format: &Format, wire: &[u8], encoded: &[u8], etag: &Etag) {
    assert!(encoded.len() <= format.max_value_bytes);
    let is_signed = wire[6] & 2 != 0;
    if wire[5] == 0 && is_signed != format.signing_keys.is_empty() {
        let given = (wire[6] & HAS_GIVEN_TAG != 0).then_some(etag);
        let again = format.encode(KEY, encoded, given);
        assert_eq!(again, Ok((wire.to_vec(), etag.clone())));
    }
}

fuzz_target!(|bytes: &[u8]| {
    for is_signed in [false, true] {
        check(&format(is_signed), bytes);
    }
    if let Some(wire) = with_right_tag(bytes) {
        check(&format(false), &wire);
    }
});
