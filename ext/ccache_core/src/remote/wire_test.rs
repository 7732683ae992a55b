//! The wire format: against the test vectors of `docs/protocol.md`, and against
//! anything that may stand at a server.

#![allow(clippy::unwrap_used)]

use crate::etag::Etag;
use crate::remote::wire::{BYTES_WITH_NAME, HEADER, integer_of_tag, lease, prefix};
use crate::remote::{
    Body, Compressor, Format, Head, Rejected, RemoteError, SigningKey, Tag, tag_of, tag_of_integer,
};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::HashMap;

const KEY: &[u8] = b"ns:key";
const FOREIGN: Body = Body::Rejected(Rejected::Foreign);
const UNVERIFIED: Body = Body::Rejected(Rejected::Unverified);

fn format() -> Format {
    Format {
        coder: 1,
        compressor: Compressor::None,
        compress_from: 0,
        max_value_bytes: 1 << 16,
        signing_keys: Vec::new(),
    }
}

fn compressed(compressor: Compressor) -> Format {
    Format {
        compressor,
        ..format()
    }
}

fn signed(secrets: &[&str]) -> Format {
    let derive = |secret: &&str| SigningKey::derive(secret.as_bytes());
    Format {
        signing_keys: secrets.iter().map(derive).collect(),
        ..format()
    }
}

fn etag(text: &str) -> Etag {
    Etag::parse(text.as_bytes()).unwrap()
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn encode(format: &Format, encoded: &[u8], given: Option<&Etag>) -> Vec<u8> {
    format.encode(KEY, encoded, given).unwrap().0
}

fn decode(format: &Format, wire: &[u8]) -> Body {
    format.decode(KEY, wire).unwrap()
}

/// What a reader of the header alone is told.
fn head(format: &Format, wire: &[u8]) -> Head {
    format.head(&wire[..wire.len().min(HEADER)])
}

fn changed(wire: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut wire = wire.to_vec();
    wire[at] = byte;
    wire
}

/// The fields of each vector in `docs/protocol.md`.
fn vectors() -> Vec<HashMap<String, String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, block) = document.split_once("```vectors\n").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    let fields = |stanza: &str| {
        // A line that begins with a space goes on with the one before.
        let stanza = stanza.replace("\n ", " ");
        let lines = stanza.lines().map(|line| line.split_once(':').unwrap());
        lines
            .map(|(name, value)| (name.to_owned(), value.replace(' ', "")))
            .collect()
    };
    block.split("\n\n").map(fields).collect()
}

#[test]
fn the_documented_vectors_are_what_is_written_and_read() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 8);
    for vector in &vectors {
        let field = |name: &str| vector.get(name).map(String::as_str);
        let name = field("name").unwrap();
        let key = field("key").unwrap().as_bytes();
        let (wire, tag) = (hex(field("wire").unwrap()), hex(field("tag").unwrap()));
        let format = field("secret").map_or_else(format, |secret| signed(&[secret]));
        let decoded = format.decode(key, &wire).unwrap();
        if let Some(digits) = field("integer") {
            let number = digits.parse().unwrap();
            assert_eq!(
                (decoded, &*wire),
                (Body::Integer(number), digits.as_bytes()),
                "{name}"
            );
            assert_eq!(tag_of_integer(number), *tag, "{name}");
            assert_eq!(
                &*Etag::of_integer(number).text(),
                field("etag").unwrap().as_bytes()
            );
        } else if field("encoded").is_none() {
            assert_eq!(
                (decoded, &lease(&tag.try_into().unwrap())[..]),
                (Body::Leased, &*wire)
            );
        } else {
            let (encoded, etag) = (hex(field("encoded").unwrap()), etag(field("etag").unwrap()));
            let given = field("given").is_some().then_some(&etag);
            let (encoded_again, etag_again) = format.encode(key, &encoded, given).unwrap();
            assert_eq!((&etag_again, &tag_of(&etag)[..]), (&etag, &*tag), "{name}");
            assert_eq!(decoded, Body::Value { encoded, etag }, "{name}");
            if field("compressed").is_none() {
                assert_eq!(encoded_again, wire, "{name}");
            }
        }
    }
}

/// Strings that a coder may make: of any bytes, and some that compress.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0_usize..3000).prop_map(|(byte, length)| vec![byte; length]),
    ]
}

fn given() -> impl Strategy<Value = Option<Etag>> {
    let texts = ["v1", "\"quoted", "0123456789abcdef0123456789abcdef", "W/x"];
    let texts = texts
        .into_iter()
        .filter_map(|text| Etag::parse(text.as_bytes()));
    select([vec![None; 3], texts.map(Some).collect()].concat())
}

/// What makes one store write otherwise than another one.
#[derive(Debug, Clone, Copy)]
struct Manner {
    compressor: Compressor,
    compress_from: usize,
    secrets: &'static [&'static str],
}

impl Manner {
    fn format(self) -> Format {
        Format {
            compressor: self.compressor,
            compress_from: self.compress_from,
            ..signed(self.secrets)
        }
    }
}

fn compressor() -> impl Strategy<Value = Compressor> {
    select(&[Compressor::None, Compressor::Zstd, Compressor::Lz4][..])
}

fn manner() -> impl Strategy<Value = Manner> {
    let secrets: [&[&str]; 3] = [&[], &["secret"], &["new", "old"]];
    let manner = (
        compressor(),
        select(&[0, 100][..]),
        select(secrets.to_vec()),
    );
    manner.prop_map(|(compressor, compress_from, secrets)| Manner {
        compressor,
        compress_from,
        secrets,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_was_written_is_read_under_its_key(
        manner in manner(),
        key in prop::collection::vec(any::<u8>(), 0..40),
        encoded in payload(),
        given in given(),
    ) {
        let format = manner.format();
        let (wire, etag) = format.encode(&key, &encoded, given.as_ref()).unwrap();
        let tag = tag_of(&etag);
        let head_of_value = if given.is_some() { Head::Named(tag) } else { Head::Tagged(tag) };
        prop_assert_eq!(head(&format, &wire), head_of_value);
        let beginning = &wire[..wire.len().min(BYTES_WITH_NAME)];
        prop_assert_eq!(format.etag(beginning), Ok(etag.clone()));
        prop_assert!(given.is_none_or(|given| given == etag));
        let decoded = format.decode(&key, &wire);
        prop_assert_eq!(decoded, Ok(Body::Value { encoded, etag }));
    }

    #[test]
    fn what_was_cut_short_is_no_value(
        manner in manner(),
        encoded in payload(),
        given in given(),
    ) {
        let format = manner.format();
        let wire = encode(&format, &encoded, given.as_ref());
        for length in 0..wire.len() {
            let decoded = decode(&format, &wire[..length]);
            // A body that was cut is found out by the signature, where there is one.
            let expected = match decoded {
                UNVERIFIED if !format.signing_keys.is_empty() => UNVERIFIED,
                _ => FOREIGN,
            };
            prop_assert_eq!(decoded, expected, "{} of {} bytes", length, wire.len());
        }
    }

    #[test]
    fn one_changed_byte_never_makes_another_value(
        compressor in compressor(),
        encoded in payload(),
        flip in 1_u8..,
    ) {
        let format = compressed(compressor);
        let wire = encode(&format, &encoded, None);
        for at in 0..wire.len() {
            match format.decode(KEY, &changed(&wire, at, wire[at] ^ flip)) {
                Ok(Body::Value { encoded: read, .. }) => prop_assert_eq!(&read, &encoded),
                Ok(Body::Rejected(_)) | Err(RemoteError::Codec(_)) => {}
                other => prop_assert!(false, "{:?} at {}", other, at),
            }
        }
    }

    #[test]
    fn one_changed_byte_of_a_signed_value_makes_none(
        compressor in compressor(),
        encoded in payload(),
        given in given(),
        flip in 1_u8..,
    ) {
        let format = Format { compressor, ..signed(&["secret"]) };
        let wire = encode(&format, &encoded, given.as_ref());
        for at in 0..wire.len() {
            let decoded = format.decode(KEY, &changed(&wire, at, wire[at] ^ flip));
            prop_assert!(matches!(decoded, Ok(Body::Rejected(_))), "{:?} at {}", decoded, at);
        }
    }

    #[test]
    fn random_bytes_are_no_value(
        manner in manner(),
        is_ours in any::<bool>(),
        coder in 0_u8..3,
        compressor in 0_u8..4,
        flags in 0_u8..8,
        rest in prop::collection::vec(any::<u8>(), 0..200),
        length in select(&[0_u32, 1, 50, 1 << 16, u32::MAX][..]),
    ) {
        let format = manner.format();
        let mut wire = Vec::new();
        if is_ours {
            wire.extend_from_slice(&prefix());
            wire.extend_from_slice(&[coder, compressor, flags, 0]);
            wire.extend_from_slice(&[7; 16]);
            wire.extend_from_slice(&length.to_le_bytes());
        }
        wire.extend_from_slice(&rest);
        _ = head(&format, &wire);
        match format.decode(KEY, &wire) {
            Ok(Body::Value { .. } | Body::Undecodable(_)) => prop_assert!(false),
            Ok(Body::Leased) => prop_assert_eq!((coder, flags), (0, 4)),
            Ok(Body::Integer(number)) => prop_assert_eq!(number.to_string().into_bytes(), wire),
            Ok(Body::Absent) => prop_assert!(wire.is_empty()),
            Ok(Body::Rejected(_)) | Err(RemoteError::Codec(_)) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn a_signed_value_counts_at_its_own_key_alone(
        encoded in payload(),
        key in prop::collection::vec(any::<u8>(), 0..40),
        other in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        prop_assume!(key != other);
        let format = signed(&["secret"]);
        let (wire, _) = format.encode(&key, &encoded, None).unwrap();
        prop_assert_eq!(format.decode(&other, &wire), Ok(UNVERIFIED));
    }

    #[test]
    fn an_integer_is_its_digits_and_has_a_tag_of_its_own(number in any::<i64>()) {
        let digits = number.to_string();
        prop_assert_eq!(decode(&format(), digits.as_bytes()), Body::Integer(number));
        prop_assert_eq!(head(&format(), digits.as_bytes()), Head::Tagged(tag_of_integer(number)));
        prop_assert_eq!(integer_of_tag(&tag_of_integer(number)), Some(number));
    }
}

#[test]
fn the_header_is_24_bytes_of_which_the_last_16_are_the_tag() {
    let wire = encode(&format(), b"abc", None);
    let hash = blake3::hash(b"abc");
    let tag = &hash.as_bytes()[..16];
    assert_eq!(wire[..8], [0xcc, 0xac, 0xe1, 1, 1, 0, 0, 0]);
    assert_eq!((&wire[8..24], &wire[24..]), (tag, &b"\x03\0\0\0abc"[..]));
}

#[test]
fn a_signature_binds_key_and_body_apart() {
    // Moving a byte from the body to the key must not keep the signature.
    let format = signed(&["secret"]);
    let (mut wire, _) = format.encode(b"k", b"bc", None).unwrap();
    let body = wire.len() - 2;
    wire.remove(body);
    assert_eq!(format.decode(b"kb", &wire), Ok(UNVERIFIED));
}

#[test]
fn an_older_signing_key_still_verifies_and_an_unknown_one_does_not() {
    let wire = encode(&signed(&["old"]), b"value", None);
    for secrets in [&["old"][..], &["new", "old"]] {
        assert!(matches!(
            decode(&signed(secrets), &wire),
            Body::Value { .. }
        ));
    }
    assert_eq!(decode(&signed(&["new"]), &wire), UNVERIFIED);
    let by_first = encode(&signed(&["new", "old"]), b"value", None);
    assert!(matches!(
        decode(&signed(&["new"]), &by_first),
        Body::Value { .. }
    ));
}

#[test]
fn what_is_not_signed_is_unverified_where_there_are_keys() {
    let format = signed(&["secret"]);
    let wire = encode(&self::format(), b"value", None);
    assert_eq!(head(&format, &wire), Head::Rejected(Rejected::Unverified));
    assert_eq!(decode(&format, &wire), UNVERIFIED);
    assert_eq!(head(&format, b"42"), Head::Rejected(Rejected::Unverified));
    assert_eq!(decode(&format, b"42"), UNVERIFIED);
    assert!(!format.has_plain_integers() && self::format().has_plain_integers());
}

#[test]
fn what_is_signed_is_read_by_who_has_no_key() {
    let wire = encode(&signed(&["secret"]), b"value", None);
    assert!(matches!(decode(&format(), &wire), Body::Value { .. }));
}

#[test]
fn another_coder_s_values_are_foreign() {
    let wire = encode(&format(), b"value", None);
    let json = Format {
        coder: 2,
        ..format()
    };
    assert_eq!(head(&json, &wire), Head::Rejected(Rejected::Foreign));
    assert_eq!(decode(&json, &wire), FOREIGN);
}

#[test]
fn an_unknown_version_flag_compressor_or_reserved_byte_is_foreign() {
    let wire = encode(&format(), b"value", None);
    let cases = [
        (3, 0),
        (3, 2),
        (5, 3),
        (5, 255),
        (6, 8),
        (6, 16),
        (6, 128),
        (6, 4),
        (7, 1),
    ];
    for (at, byte) in cases {
        let changed = changed(&wire, at, byte);
        assert_eq!(decode(&format(), &changed), FOREIGN, "{byte} at {at}");
        // Who decompresses it is no matter of the header's reader.
        let is_known = at == 5;
        let rejected = head(&format(), &changed) == Head::Rejected(Rejected::Foreign);
        assert_eq!(rejected, !is_known, "{byte} at {at}");
    }
}

#[test]
fn a_header_alone_and_a_header_cut_short_are_foreign() {
    let wire = encode(&format(), b"value", None);
    for length in [1, 3, 4, 23, 24, 27, 28] {
        assert_eq!(decode(&format(), &wire[..length]), FOREIGN, "{length}");
    }
    assert_eq!(
        head(&format(), &wire[..23]),
        Head::Rejected(Rejected::Foreign)
    );
}

#[test]
fn a_tag_is_told_by_what_stands_before_the_body() {
    let longest = etag(&"t".repeat(1024));
    for given in [etag("v1"), longest] {
        let wire = encode(&format(), &[0; 5000], Some(&given));
        assert_eq!(format().etag(&wire[..BYTES_WITH_NAME]), Ok(given.clone()));
        // Cut short in the text, or with another text than the header's tag is of.
        let end = HEADER + 6 + given.text().len();
        let foreign = Err(Head::Rejected(Rejected::Foreign));
        for damaged in [
            &wire[..end - 1],
            &wire[..HEADER],
            &changed(&wire, end - 1, b'x'),
        ] {
            assert_eq!(format().etag(damaged), foreign);
        }
    }
    assert_eq!(format().etag(b"42"), Ok(Etag::of_integer(42)));
    assert_eq!(format().etag(b""), Err(Head::Absent));
}

#[test]
fn an_empty_string_looks_like_none_from_its_header_alone() {
    assert_eq!(
        (head(&format(), b""), decode(&format(), b"")),
        (Head::Absent, FOREIGN)
    );
}

#[test]
fn a_lease_is_its_token_s_and_is_known_to_each_coder() {
    let token: Tag = std::array::from_fn(|at| at.try_into().unwrap());
    for format in [
        format(),
        signed(&["secret"]),
        Format {
            coder: 255,
            ..format()
        },
    ] {
        assert_eq!(head(&format, &lease(&token)), Head::Leased(token));
        assert_eq!(decode(&format, &lease(&token)), Body::Leased);
    }
    for (at, byte) in [(4, 1), (6, 5), (6, 6), (7, 1)] {
        assert_eq!(
            decode(&format(), &changed(&lease(&token), at, byte)),
            FOREIGN
        );
    }
}

#[test]
fn a_length_beyond_the_bound_is_told_before_anything_is_decompressed() {
    for compressor in [Compressor::Zstd, Compressor::Lz4] {
        let mut wire = encode(&compressed(compressor), &[b'a'; 1000], None);
        let bound = u32::try_from(format().max_value_bytes).unwrap();
        for claimed in [bound + 1, u32::MAX] {
            wire[24..28].copy_from_slice(&claimed.to_le_bytes());
            // Were it decompressed, it would be found foreign.
            let error = format().decode(KEY, &wire).unwrap_err();
            assert!(matches!(error, RemoteError::Codec(_)));
            let message =
                format!("the encoded value has {claimed} bytes, max_value_bytes is 65536");
            assert_eq!(error.to_string(), message);
        }
        wire[24..28].copy_from_slice(&bound.to_le_bytes());
        assert_eq!(decode(&format(), &wire), FOREIGN);
    }
}

#[test]
fn a_body_of_another_length_than_it_claims_is_foreign() {
    for compressor in [Compressor::None, Compressor::Zstd, Compressor::Lz4] {
        let wire = encode(&compressed(compressor), &[b'a'; 1000], Some(&etag("v1")));
        for claimed in [0_u32, 10, 999, 1001, 2000] {
            let mut wire = wire.clone();
            wire[24..28].copy_from_slice(&claimed.to_le_bytes());
            assert_eq!(
                decode(&format(), &wire),
                FOREIGN,
                "{compressor:?} {claimed}"
            );
        }
    }
}

#[test]
fn a_tag_that_is_not_the_content_s_is_foreign() {
    let wire = encode(&format(), b"value", None);
    assert_eq!(decode(&format(), &changed(&wire, 8, !wire[8])), FOREIGN);
    let given = encode(&format(), b"value", Some(&etag("v1")));
    assert_eq!(decode(&format(), &changed(&given, 8, !given[8])), FOREIGN);
    // The text of another tag.
    assert_eq!(decode(&format(), &changed(&given, 31, b'2')), FOREIGN);
    // A text that no tag has.
    assert_eq!(decode(&format(), &changed(&given, 31, b' ')), FOREIGN);
}

#[test]
fn a_value_larger_than_the_bound_is_not_written() {
    let largest = vec![0; format().max_value_bytes];
    assert!(format().encode(KEY, &largest, None).is_ok());
    let too_large = vec![0; format().max_value_bytes + 1];
    for compressor in [Compressor::None, Compressor::Zstd] {
        let refused = compressed(compressor).encode(KEY, &too_large, None);
        assert!(matches!(refused, Err(RemoteError::Codec(_))));
    }
}

#[test]
fn a_body_is_compressed_from_a_length_on_and_where_that_makes_it_shorter() {
    for (compressor, id) in [(Compressor::Zstd, 1), (Compressor::Lz4, 2)] {
        let format = Format {
            compress_from: 100,
            ..compressed(compressor)
        };
        assert_eq!(encode(&format, &[b'a'; 99], None)[5], 0);
        let wire = encode(&format, &[b'a'; 100], None);
        assert_eq!((wire[5], wire.len() < 100), (id, true));
        let noise: Vec<u8> = (0..200_u32)
            .flat_map(|n| *blake3::hash(&n.to_le_bytes()).as_bytes())
            .collect();
        let wire = encode(&format, &noise, None);
        assert_eq!((wire[5], wire.len()), (0, HEADER + 4 + noise.len()));
    }
}

#[test]
fn a_tag_names_the_content_however_it_is_compressed_or_signed() {
    let tags = [
        format(),
        compressed(Compressor::Zstd),
        compressed(Compressor::Lz4),
        signed(&["secret"]),
        Format {
            coder: 2,
            ..format()
        },
    ]
    .map(|format| format.encode(KEY, &[b'a'; 1000], None).unwrap().1);
    assert!(tags.iter().all(|tag| tag == &tags[0]));
    assert_ne!(
        tags[0],
        format().encode(KEY, &[b'a'; 1001], None).unwrap().1
    );
}

#[test]
fn a_number_that_the_server_would_print_otherwise_is_foreign() {
    let others = [
        "007",
        "00",
        "-0",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "1e3",
        "-",
        "0x10",
        "--1",
        "\u{661}",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "123456789012345678901",
        "000000000000000000001",
        "123456789012345678901234",
        "1234567890123456789012345678901234567890",
    ];
    for text in others {
        assert_eq!(decode(&format(), text.as_bytes()), FOREIGN, "{text}");
        assert_eq!(
            head(&format(), text.as_bytes()),
            Head::Rejected(Rejected::Foreign),
            "{text}"
        );
    }
    for number in [0, 1, -1, 10, i64::MAX, i64::MIN] {
        assert_eq!(
            decode(&format(), number.to_string().as_bytes()),
            Body::Integer(number)
        );
    }
}
