//! Entity tags: equal tags mean equal values (invariant C1).
//!
//! With a server the tag names the content. In one process nothing is encoded, so
//! it cannot; instead each write gets one that was never used before. A caller may
//! give its own, and then answers for C1 itself.

use crate::gate::Gate;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest tag that a caller may give, in bytes.
pub const MAX_GIVEN: usize = 1024;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The tag of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(Form);

/// A text of 32 lower-case hexadecimal digits is always `Unique`, whoever it came
/// from, so that two equal texts are equal tags.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Unique([u8; 16]),
    Given(Box<[u8]>),
}

impl Etag {
    /// Reads a tag that a caller gives: 1 to [`MAX_GIVEN`] bytes of RFC 9110's
    /// `etagc` (visible characters without the double quote, and bytes from 128
    /// on), so that it can stand in an HTTP header as it is.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let is_etagc = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7e | 0x80..);
        if text.is_empty() || text.len() > MAX_GIVEN || !text.iter().all(is_etagc) {
            return None;
        }
        Some(Self(
            parse_hex(text).map_or_else(|| Form::Given(text.into()), Form::Unique),
        ))
    }

    /// The tag as text: 32 hexadecimal digits, or what the caller gave.
    pub fn text(&self) -> Box<[u8]> {
        match &self.0 {
            Form::Given(text) => text.clone(),
            Form::Unique(bytes) => bytes
                .iter()
                .flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
                .collect(),
        }
    }

    /// The tag of a content.
    pub(crate) fn of_content(digest: [u8; 16]) -> Self {
        Self(Form::Unique(digest))
    }

    /// The tag of an integer on a server.
    pub fn of_integer(number: i64) -> Self {
        Self(Form::Unique(crate::remote::tag_of_integer(number)))
    }

    /// The 16 bytes of a tag that has just these.
    pub(crate) fn unique(&self) -> Option<&[u8; 16]> {
        match &self.0 {
            Form::Unique(bytes) => Some(bytes),
            Form::Given(_) => None,
        }
    }

    /// Bytes on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Unique(_) => 0,
            Form::Given(text) => text.len(),
        }
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

fn parse_hex(text: &[u8]) -> Option<[u8; 16]> {
    if text.len() != 32 {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let high = HEX.iter().position(|&digit| digit == digits[0])?;
        let low = HEX.iter().position(|&digit| digit == digits[1])?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

/// Makes tags that were never used before: 64 bits that are this source's and
/// this process's own, and a counter.
#[derive(Debug)]
pub(crate) struct EtagSource {
    seed: u64,
    counter: AtomicU64,
}

impl EtagSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: AtomicU64::new(0),
        }
    }

    pub(crate) fn next(&self, gate: &Gate) -> Etag {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(self.seed ^ gate.incarnation()).to_be_bytes());
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        bytes[8..].copy_from_slice(&count.to_be_bytes());
        Etag(Form::Unique(bytes))
    }
}

#[cfg(all(test, not(loom)))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn made_tags_differ_and_survive_as_text() {
        let (gate, source) = (Gate::new(), EtagSource::new(7));
        let texts: HashSet<_> = (0..1000).map(|_| source.next(&gate).text()).collect();
        assert_eq!(texts.len(), 1000);
        let tag = source.next(&gate);
        assert_eq!(Etag::parse(&tag.text()).unwrap(), tag);
    }

    #[test]
    fn parent_and_child_make_different_tags() {
        let (parent, child) = (Gate::new(), Gate::new());
        child.close();
        child.open_in_child(42);
        let (here, there) = (EtagSource::new(7), EtagSource::new(7));
        assert_ne!(here.next(&parent), there.next(&child));
    }

    #[test]
    fn a_given_tag_keeps_its_text() {
        for text in [
            "v1",
            "W/weak",
            "caf\u{e9}",
            "0123456789ABCDEF0123456789ABCDEF",
        ] {
            assert_eq!(
                &*Etag::parse(text.as_bytes()).unwrap().text(),
                text.as_bytes()
            );
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_tag() {
        let long = vec![b'a'; MAX_GIVEN + 1];
        for text in [&b""[..], b"a b", b"a\"b", b"a\n", b"\x7f", &long] {
            assert_eq!(Etag::parse(text), None);
        }
    }
}
