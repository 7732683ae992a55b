//! What stands in a key of the server: one string, a fixed header and the body
//! (invariant C3). `docs/protocol.md` is this file in words, with test vectors.
//!
//! DO NOT CHANGE a constant or an order of bytes: processes of different versions
//! share one server. A new form gets a new [`VERSION`].
//!
//! The header alone answers a validation: `GETRANGE key 0 23`. The tag names the
//! content, 128 bits of BLAKE3 over the encoded value before compression, or a
//! tag that the caller gave. Integers are stored as their decimal digits, so that
//! the server can count; a lease is a header without a body.

use crate::etag::{Etag, MAX_GIVEN};
use crate::remote::compress::Compressor;
use crate::remote::error::RemoteError;

const MAGIC: [u8; 3] = [0xcc, 0xac, 0xe1];
const VERSION: u8 = 1;
/// Length of the fixed header.
pub(crate) const HEADER: usize = 24;
/// The first bytes, that of the coder included, which stand before the tag.
const TAG_AT: usize = 8;
/// What comes before the signature at most: header, length, and the longest given tag.
pub(crate) const BYTES_WITH_NAME: usize = HEADER + 4 + 2 + MAX_GIVEN;
/// What comes before the body at most.
const BYTES_BEFORE_BODY: usize = BYTES_WITH_NAME + SIGNATURE;
/// The coder of a lease.
const NO_CODER: u8 = 0;

const HAS_GIVEN_TAG: u8 = 1;
const IS_SIGNED: u8 = 2;
const IS_LEASE: u8 = 4;

const SIGNATURE: usize = 32;
/// The derivation contexts of BLAKE3 (its paper, section 2.3).
const GIVEN_TAG_CONTEXT: &str = "ccache wire format 1: given etag";
const SIGNING_KEY_CONTEXT: &str = "ccache wire format 1: signing key";
/// The tag of an integer: these bytes and the number, big-endian.
const INTEGER_TAG: &[u8; 8] = b"integer\0";
/// As long as `i64::MIN`.
pub(crate) const MAX_DIGITS: usize = 20;

/// The 16 bytes of the header that name the value.
pub type Tag = [u8; 16];

/// How a store writes values, and which it reads.
#[derive(Clone)]
pub struct Format {
    /// Which coder made the encoded values: what another one made is not read.
    pub coder: u8,
    /// How bodies are compressed; what is read says itself.
    pub compressor: Compressor,
    /// Shorter encoded values are not compressed.
    pub compress_from: usize,
    /// The longest encoded value, compressed or not.
    pub max_value_bytes: usize,
    /// Empty: neither signed nor verified. Else the first one signs.
    pub signing_keys: Vec<SigningKey>,
}

/// A key for signatures, derived from a secret of any length.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// Derives the key (BLAKE3's key derivation).
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key(SIGNING_KEY_CONTEXT, secret))
    }
}

/// What the header of a key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// There is no value.
    Absent,
    /// Somebody loads the value, under the lease of this token.
    Leased(Tag),
    /// There is a value of this tag, which is that of its content.
    Tagged(Tag),
    /// There is a value of this tag, which stands for the text that its writer gave.
    Named(Tag),
    /// There is something that this store does not read.
    Rejected(Rejected),
}

/// Why something is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// Not written by ccache, by another version or coder, or cut short.
    Foreign,
    /// Not signed by one of the keys.
    Unverified,
}

/// What a key holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// No value.
    Absent,
    /// Somebody loads the value.
    Leased,
    /// An encoded value.
    Value {
        /// As the coder made it.
        encoded: Vec<u8>,
        /// The content's, or the caller's own.
        etag: Etag,
    },
    /// A number.
    Integer(i64),
    /// A value of ours with something wrong about it.
    Undecodable(RemoteError),
    /// Something that this store does not read.
    Rejected(Rejected),
}

/// The tag that a content has, from the header; the other way round than [`tag_of`].
pub fn etag_of(tag: &Tag) -> Etag {
    Etag::of_content(*tag)
}

/// The 16 bytes that stand for a tag in the header.
pub fn tag_of(etag: &Etag) -> Tag {
    match etag.unique() {
        Some(bytes) => *bytes,
        None => {
            let mut hasher = blake3::Hasher::new_derive_key(GIVEN_TAG_CONTEXT);
            hasher.update(&etag.text());
            first_16(&hasher.finalize())
        }
    }
}

/// The tag of an integer.
pub fn tag_of_integer(number: i64) -> Tag {
    let mut tag = [0; 16];
    tag[..8].copy_from_slice(INTEGER_TAG);
    tag[8..].copy_from_slice(&number.to_be_bytes());
    tag
}

/// The integer that the tag stands for.
pub(crate) fn integer_of_tag(tag: &Tag) -> Option<i64> {
    let digits: [u8; 8] = tag.strip_prefix(INTEGER_TAG)?.try_into().ok()?;
    Some(i64::from_be_bytes(digits))
}

/// A lease's header.
pub(crate) fn lease(token: &Tag) -> [u8; HEADER] {
    header(NO_CODER, Compressor::None, IS_LEASE, token)
}

/// The bytes that a header with this tag begins with, as far as scripts compare.
pub(crate) fn prefix() -> [u8; 4] {
    [MAGIC[0], MAGIC[1], MAGIC[2], VERSION]
}

fn header(coder: u8, compressor: Compressor, flags: u8, tag: &Tag) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&prefix());
    header[4..TAG_AT].copy_from_slice(&[coder, compressor.id(), flags, 0]);
    header[TAG_AT..].copy_from_slice(tag);
    header
}

impl Format {
    /// The string to store for an encoded value, and its tag. `key` is the
    /// server's, with the namespace: the signature binds the value to it.
    pub fn encode(
        &self,
        key: &[u8],
        encoded: &[u8],
        given: Option<&Etag>,
    ) -> Result<(Vec<u8>, Etag), RemoteError> {
        let length = self.check_length(encoded.len())?;
        let etag = given.cloned().unwrap_or_else(|| content_tag(encoded));
        let (compressor, body) = if encoded.len() < self.compress_from {
            (Compressor::None, None)
        } else {
            self.compressor.compress(encoded)
        };
        let body = body.as_deref().unwrap_or(encoded);
        let mut flags = 0;
        if given.is_some() {
            flags |= HAS_GIVEN_TAG;
        }
        if !self.signing_keys.is_empty() {
            flags |= IS_SIGNED;
        }
        let mut wire = Vec::with_capacity(HEADER + 4 + 2 + SIGNATURE + body.len());
        wire.extend_from_slice(&header(self.coder, compressor, flags, &tag_of(&etag)));
        wire.extend_from_slice(&length.to_le_bytes());
        if given.is_some() {
            let text = etag.text();
            #[allow(clippy::cast_possible_truncation)] // an etag has at most 1024 bytes
            wire.extend_from_slice(&(text.len() as u16).to_le_bytes());
            wire.extend_from_slice(&text);
        }
        if let Some(signing) = self.signing_keys.first() {
            let signature = sign(signing, &wire, key, body);
            wire.extend_from_slice(signature.as_bytes());
        }
        wire.extend_from_slice(body);
        Ok((wire, etag))
    }

    /// No string that this store reads is longer: a body is never longer than the value.
    pub(crate) fn max_wire_bytes(&self) -> usize {
        let length = self.max_value_bytes.min(u32::MAX as usize);
        length + BYTES_BEFORE_BODY
    }

    /// Whether integers are stored as digits: they cannot be signed.
    pub fn has_plain_integers(&self) -> bool {
        self.signing_keys.is_empty()
    }

    /// Whether a body is believed only with its signature.
    pub fn verifies_bodies(&self) -> bool {
        !self.signing_keys.is_empty()
    }

    /// What the answer to a validation says.
    pub fn head(&self, bytes: &[u8]) -> Head {
        if bytes.is_empty() {
            return Head::Absent; // GETRANGE does not tell; an empty string is no value of ours either
        }
        let Some(header) = bytes
            .first_chunk::<HEADER>()
            .filter(|header| header[..4] == prefix())
        else {
            return match parse_integer(bytes) {
                Some(number) if self.has_plain_integers() => Head::Tagged(tag_of_integer(number)),
                Some(_) => Head::Rejected(Rejected::Unverified),
                None => Head::Rejected(Rejected::Foreign),
            };
        };
        let [coder, _compressor, flags, reserved] = [header[4], header[5], header[6], header[7]];
        let mut tag = Tag::default();
        tag.copy_from_slice(&header[TAG_AT..]);
        if reserved != 0 || flags & !(HAS_GIVEN_TAG | IS_SIGNED | IS_LEASE) != 0 {
            Head::Rejected(Rejected::Foreign)
        } else if flags == IS_LEASE && coder == NO_CODER {
            Head::Leased(tag)
        } else if coder != self.coder || flags & IS_LEASE != 0 {
            Head::Rejected(Rejected::Foreign)
        } else if flags & IS_SIGNED == 0 && !self.signing_keys.is_empty() {
            Head::Rejected(Rejected::Unverified)
        } else if flags & HAS_GIVEN_TAG != 0 {
            Head::Named(tag)
        } else {
            Head::Tagged(tag)
        }
    }

    /// The tag that the first `BYTES_WITH_NAME` bytes of a string say, or all of a
    /// shorter one; else what they say. Believed without a look at the body, and so
    /// without its signature.
    pub fn etag(&self, bytes: &[u8]) -> Result<Etag, Head> {
        match self.head(bytes) {
            Head::Tagged(tag) => Ok(etag_of(&tag)),
            Head::Named(tag) => given_tag(bytes)
                .and_then(Etag::parse)
                .filter(|etag| tag_of(etag) == tag)
                .ok_or(Head::Rejected(Rejected::Foreign)),
            other => Err(other),
        }
    }

    /// What a whole string is. An error says what is wrong with a value of ours.
    pub fn decode(&self, key: &[u8], wire: &[u8]) -> Result<Body, RemoteError> {
        let tag = match self.head(wire) {
            Head::Absent => return Ok(Body::Rejected(Rejected::Foreign)), // an empty string
            Head::Leased(_) => return Ok(Body::Leased),
            Head::Rejected(reason) => return Ok(Body::Rejected(reason)),
            Head::Tagged(tag) | Head::Named(tag) => tag,
        };
        if let Some(number) = parse_integer(wire) {
            return Ok(Body::Integer(number));
        }
        let Some(parts) = Parts::split(wire) else {
            return Ok(Body::Rejected(Rejected::Foreign));
        };
        if wire.len() > self.max_wire_bytes() {
            // Not all of it came, so there is nothing to verify.
            self.check_length(parts.length)?;
            return Ok(Body::Rejected(Rejected::Foreign));
        }
        if !self.verifies(key, &parts) {
            return Ok(Body::Rejected(Rejected::Unverified));
        }
        self.check_length(parts.length)?;
        if parts.compressor != Compressor::None && parts.body.len() >= parts.length {
            return Ok(Body::Rejected(Rejected::Foreign)); // it would not have been compressed
        }
        let Some(encoded) = parts.compressor.decompress(parts.body, parts.length) else {
            return Ok(Body::Rejected(Rejected::Foreign));
        };
        let etag = match parts.given {
            Some(text) => Etag::parse(text),
            None => Some(content_tag(&encoded)),
        };
        Ok(match etag.filter(|etag| tag_of(etag) == tag) {
            Some(etag) => Body::Value {
                encoded: encoded.into_owned(),
                etag,
            },
            None => Body::Rejected(Rejected::Foreign), // cut short, or damaged
        })
    }

    fn verifies(&self, key: &[u8], parts: &Parts<'_>) -> bool {
        let Some(signature) = parts.signature else {
            return self.signing_keys.is_empty();
        };
        let signature = blake3::Hash::from_bytes(*signature);
        self.signing_keys.is_empty() // nobody asks
            || self.signing_keys.iter().any(|signing| {
                // blake3::Hash compares in constant time.
                sign(signing, parts.signed, key, parts.body) == signature
            })
    }

    fn check_length(&self, length: usize) -> Result<u32, RemoteError> {
        u32::try_from(length)
            .ok()
            .filter(|_| length <= self.max_value_bytes)
            .ok_or_else(|| {
                RemoteError::Codec(format!(
                    "the encoded value has {length} bytes, max_value_bytes is {}",
                    self.max_value_bytes
                ))
            })
    }
}

/// The pieces of a value of ours.
struct Parts<'a> {
    compressor: Compressor,
    length: usize,
    given: Option<&'a [u8]>,
    /// All that stands before the signature.
    signed: &'a [u8],
    signature: Option<&'a [u8; SIGNATURE]>,
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(wire: &'a [u8]) -> Option<Self> {
        let (header, rest) = wire.split_first_chunk::<HEADER>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let flags = header[6];
        let (given, rest) = if flags & HAS_GIVEN_TAG == 0 {
            (None, rest)
        } else {
            let (text, rest) = split_name(rest)?;
            (Some(text), rest)
        };
        let signed = &wire[..wire.len() - rest.len()];
        let (signature, body) = if flags & IS_SIGNED == 0 {
            (None, rest)
        } else {
            let (signature, body) = rest.split_first_chunk::<SIGNATURE>()?;
            (Some(signature), body)
        };
        Some(Self {
            compressor: Compressor::of_id(header[5])?,
            length: usize::try_from(u32::from_le_bytes(*length)).ok()?,
            given,
            signed,
            signature,
            body,
        })
    }
}

/// The text of a given tag, and what follows.
fn split_name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

/// The text that stands in a string whose header says that there is one.
fn given_tag(wire: &[u8]) -> Option<&[u8]> {
    split_name(wire.get(HEADER + 4..)?).map(|(text, _)| text)
}

/// The tag of an encoded value (C1).
fn content_tag(encoded: &[u8]) -> Etag {
    let mut hasher = blake3::Hasher::new();
    hash(&mut hasher, encoded);
    Etag::of_content(first_16(&hasher.finalize()))
}

/// In pieces: the library goes as deep into the stack as what it is given is long.
fn hash(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    const PIECE: usize = 64 * 1024;
    for piece in bytes.chunks(PIECE) {
        hasher.update(piece);
    }
}

fn first_16(hash: &blake3::Hash) -> Tag {
    let mut tag = Tag::default();
    tag.copy_from_slice(&hash.as_bytes()[..16]);
    tag
}

/// Header, key name and body, each of a length that the hash can tell.
fn sign(signing: &SigningKey, before: &[u8], key: &[u8], body: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&signing.0);
    hasher.update(&(before.len() as u64).to_le_bytes());
    hasher.update(before);
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hash(&mut hasher, body);
    hasher.finalize()
}

/// A number exactly as the server prints it, so that one number is one string.
fn parse_integer(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > MAX_DIGITS {
        return None;
    }
    let number: i64 = std::str::from_utf8(bytes).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == bytes).then_some(number)
}
