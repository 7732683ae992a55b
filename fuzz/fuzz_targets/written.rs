//! What a store writes is read again as it was, and nothing else is once a byte of
//! it has changed.

#![no_main]

use ccache_core::Etag;
use ccache_core::remote::{Body, Compressor, Format, SigningKey};
use libfuzzer_sys::fuzz_target;

const KEY: &[u8] = b"ns:key";

/// Bytes of an input that are choices: the format, how much of it is an etag, and
/// where to change which bit.
const CHOICES: usize = 5;

fn format(choice: u8) -> Format {
    let secrets: &[&[u8]] = if choice & 4 == 0 { &[] } else { &[b"a secret"] };
    Format {
        coder: 1,
        compressor: [Compressor::None, Compressor::Zstd, Compressor::Lz4]
            [usize::from(choice & 3) % 3],
        compress_from: usize::from(choice >> 4) * 8,
        max_value_bytes: 1 << 12,
        signing_keys: secrets
            .iter()
            .map(|secret| SigningKey::derive(secret))
            .collect(),
    }
}

fn check_changed(format: &Format, mut wire: Vec<u8>, [low, high, bit]: [u8; 3], written: &Body) {
    let at = usize::from(u16::from_le_bytes([low, high])) % wire.len();
    wire[at] ^= 1 << (bit % 8);
    let has_given_tag = wire[6] & 1 != 0;
    let Ok(Body::Value { encoded, etag }) = format.decode(KEY, &wire) else {
        return;
    };
    assert!(
        format.signing_keys.is_empty(),
        "a signature holds for another value"
    );
    // A given tag does not name the content, and compressors may say one thing in two ways.
    let Body::Value {
        encoded: before,
        etag: etag_before,
    } = written
    else {
        unreachable!("a value was written");
    };
    assert_eq!(&etag, etag_before);
    assert!(
        has_given_tag || &encoded == before,
        "a tag of another content"
    );
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[choice, given, ref change @ ..], rest)) = bytes.split_first_chunk::<CHOICES>()
    else {
        return;
    };
    let format = format(choice);
    let (text, encoded) = rest.split_at(usize::from(given).min(rest.len()));
    let given = Etag::parse(text);
    let Ok((wire, etag)) = format.encode(KEY, encoded, given.as_ref()) else {
        return assert!(encoded.len() > format.max_value_bytes);
    };
    let written = Body::Value {
        encoded: encoded.to_vec(),
        etag,
    };
    assert_eq!(format.decode(KEY, &wire), Ok(written.clone()));
    check_changed(&format, wire, *change, &written);
});
