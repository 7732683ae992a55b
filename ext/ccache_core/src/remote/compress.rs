//! Bodies made smaller.

use std::borrow::Cow;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compressor {
    /// Not at all.
    None,
    /// Zstandard (RFC 8878).
    Zstd,
    /// LZ4, its block format.
    Lz4,
}

impl Compressor {
    /// Its byte in the header. Do not change.
    pub(crate) fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Zstd => 1,
            Self::Lz4 => 2,
        }
    }

    pub(crate) fn of_id(id: u8) -> Option<Self> {
        [Self::None, Self::Zstd, Self::Lz4]
            .into_iter()
            .find(|compressor| compressor.id() == id)
    }

    /// The compressed bytes; none, and `None` as the compressor, where they would
    /// not be fewer.
    pub(crate) fn compress(self, bytes: &[u8]) -> (Self, Option<Vec<u8>>) {
        let compressed = match self {
            Self::None => None,
            Self::Zstd => zstd::bulk::compress(bytes, zstd::DEFAULT_COMPRESSION_LEVEL).ok(),
            Self::Lz4 => Some(lz4_flex::block::compress(bytes)),
        };
        match compressed.filter(|compressed| compressed.len() < bytes.len()) {
            Some(compressed) => (self, Some(compressed)),
            None => (Self::None, None),
        }
    }

    /// The original, if it has exactly `length` bytes: no more are ever allocated.
    pub(crate) fn decompress(self, bytes: &[u8], length: usize) -> Option<Cow<'_, [u8]>> {
        let original = match self {
            Self::None => Some(Cow::Borrowed(bytes)),
            Self::Zstd => zstd::bulk::decompress(bytes, length).ok().map(Cow::Owned),
            Self::Lz4 => lz4_flex::block::decompress(bytes, length)
                .ok()
                .map(Cow::Owned),
        };
        original.filter(|original| original.len() == length)
    }
}
