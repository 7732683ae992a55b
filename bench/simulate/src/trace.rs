//! Sequences of accesses, and recorded ones from files.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

/// What was accessed, one after the other. Keys are numbered by their first access.
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) accesses: Vec<u32>,
    pub(crate) keys: usize,
}

impl Trace {
    /// Numbers the keys.
    pub(crate) fn new(name: impl Into<String>, accesses: impl IntoIterator<Item = u64>) -> Self {
        let mut numbers = HashMap::new();
        let accesses = accesses.into_iter().map(|key| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        });
        Self {
            name: name.into(),
            accesses: accesses.collect(),
            keys: numbers.len(),
        }
    }

    /// Its first accesses alone.
    pub(crate) fn cut(mut self, most: usize) -> Self {
        self.accesses.truncate(most);
        // Keys are numbered in the order in which they come.
        self.keys = self
            .accesses
            .iter()
            .max()
            .map_or(0, |&last| last as usize + 1);
        self
    }
}

/// Reads all `NAME.u32.zst` of a folder: little-endian 32-bit numbers, compressed.
pub(crate) fn read_all(folder: &Path) -> Result<Vec<Trace>, String> {
    let in_folder = |error| format!("{}: {error}", folder.display());
    let mut traces = Vec::new();
    for file in folder.read_dir().map_err(in_folder)? {
        let path = file.map_err(in_folder)?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(name) = file_name.strip_suffix(".u32.zst") {
            let read = File::open(&path).and_then(zstd::decode_all);
            let bytes = read.map_err(|error| format!("{}: {error}", path.display()))?;
            let (numbers, _) = bytes.as_chunks();
            let keys = numbers
                .iter()
                .map(|&bytes| u32::from_le_bytes(bytes).into());
            traces.push(Trace::new(name, keys));
        }
    }
    if traces.is_empty() {
        return Err(format!("{}: no .u32.zst files", folder.display()));
    }
    traces.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(traces)
}
