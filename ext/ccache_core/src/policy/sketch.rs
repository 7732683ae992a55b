//! How often a key came lately, also one that the cache no longer knows: a
//! count-min sketch of four-bit counters (Cormode and Muthukrishnan, J. Algorithms
//! 2005) with conservative update (Estan and Varghese, SIGCOMM 2002), that ages as
//! TinyLFU's does (Einziger, Friedman and Manes, ACM Transactions on Storage 2017).
//!
//! A key has four counters in one block of 64 bytes, one cache line; its count is the
//! least of them, since other keys can only add. Once in every ten arrivals per entry
//! all counts are halved at once; a block catches up when it is next used, and is
//! visited once meanwhile, so that no write pays for all.

/// Counters are full here.
const MOST: u64 = 15;

const WORDS: usize = 8;

/// Counters of a block. The sixteenth of the last word is the block's age.
const COUNTERS: usize = WORDS * 16 - 1;

/// A block for so many entries: 16 counters or 8 bytes for each, as in Caffeine.
const ENTRIES_PER_BLOCK: usize = 8;

/// Arrivals per entry between two halvings: the sample of TinyLFU.
const SAMPLE: usize = 10;

/// Enough for 256 entries: 2 KiB.
const FEWEST_BLOCKS: usize = 32;

type Block = [u64; WORDS];

/// Counts by the keys' hashes.
#[derive(Debug)]
pub(crate) struct Sketch {
    blocks: Vec<Block>,
    /// How often all counts were halved.
    age: u64,
    /// Arrivals since then.
    arrivals: usize,
    /// The block that is visited next, each once between two halvings; and how near
    /// that is.
    next: usize,
    due: usize,
}

impl Sketch {
    pub(crate) fn new() -> Self {
        Self {
            blocks: Vec::new(),
            age: 0,
            arrivals: 0,
            next: 0,
            due: 0,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
    }

    /// How often the key came, 0 to 15.
    pub(crate) fn count(&self, hash: u64) -> u64 {
        if self.blocks.is_empty() {
            return 0;
        }
        let block = &self.blocks[self.block(hash)];
        least(block, hash) >> self.missed(block).min(4)
    }

    /// The key came `times` times.
    pub(crate) fn add(&mut self, hash: u64, times: u64) {
        if self.blocks.is_empty() {
            self.blocks = vec![[0; WORDS]; FEWEST_BLOCKS];
        }
        let at = self.block(hash);
        self.catch_up(at);
        let block = &mut self.blocks[at];
        let count = (least(block, hash) + times).min(MOST);
        counters(hash).for_each(|counter| raise(block, counter, count));
    }

    /// Counts an arrival in a cache of so many entries, and grows with it.
    pub(crate) fn age(&mut self, entries: usize) {
        if self.blocks.len() * ENTRIES_PER_BLOCK < entries {
            self.grow();
        }
        let period = SAMPLE * entries.max(1);
        self.due += self.blocks.len();
        while self.due >= period {
            self.due -= period;
            self.catch_up(self.next);
            self.next = (self.next + 1) % self.blocks.len();
        }
        self.arrivals += 1;
        if self.arrivals >= period {
            self.arrivals = 0;
            self.age += 1;
        }
    }

    /// Forgets all counts, if they take more than the least memory.
    pub(crate) fn shrink(&mut self) {
        if self.blocks.len() > FEWEST_BLOCKS {
            *self = Self::new();
        }
    }

    /// Grows by a quarter. Each new block takes the place of parts of one or two old
    /// ones and gets the larger counts, so that none is too low.
    fn grow(&mut self) {
        (0..self.blocks.len()).for_each(|block| self.catch_up(block));
        let (old, new) = (self.blocks.len(), self.blocks.len() * 5 / 4);
        let grown = (0..new).map(|block| {
            let first = self.blocks[block * old / new];
            let last = self.blocks[((block + 1) * old - 1) / new];
            larger(first, &last)
        });
        let grown = grown.collect();
        self.blocks = grown;
    }

    /// Halves what was halved since the block was last used.
    fn catch_up(&mut self, at: usize) {
        let missed = self.missed(&self.blocks[at]);
        if missed > 0 {
            let kept = 0x1111_1111_1111_1111 * (MOST >> missed.min(4));
            let block = &mut self.blocks[at];
            set(block, COUNTERS, 0);
            for word in block.iter_mut() {
                *word = *word >> missed.min(4) & kept;
            }
            set(block, COUNTERS, self.age);
        }
    }

    fn missed(&self, block: &Block) -> u64 {
        self.age.wrapping_sub(get(block, COUNTERS)) & MOST
    }

    #[allow(clippy::cast_possible_truncation)] // the product's upper half is an index
    fn block(&self, hash: u64) -> usize {
        (((hash >> 32) * self.blocks.len() as u64) >> 32) as usize
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        assert!(self.next < self.blocks.len().max(1));
        assert!(self.blocks.is_empty() || self.blocks.len() >= FEWEST_BLOCKS);
        assert!(self.blocks.iter().all(|block| self.missed(block) < 10));
    }
}

/// The numbers of a key's counters in its block: eight bits each.
fn counters(hash: u64) -> impl Iterator<Item = usize> {
    (0..4).map(move |row| (hash >> (8 * row) & 0xff) as usize * COUNTERS / 256)
}

fn least(block: &Block, hash: u64) -> u64 {
    counters(hash)
        .map(|counter| get(block, counter))
        .fold(MOST, u64::min)
}

fn get(block: &Block, counter: usize) -> u64 {
    block[counter / 16] >> (counter % 16 * 4) & MOST
}

fn set(block: &mut Block, counter: usize, count: u64) {
    let at = counter % 16 * 4;
    block[counter / 16] = block[counter / 16] & !(MOST << at) | (count & MOST) << at;
}

fn raise(block: &mut Block, counter: usize, count: u64) {
    if get(block, counter) < count {
        set(block, counter, count);
    }
}

/// The larger of each two counters. Both blocks are of one age.
fn larger(one: Block, other: &Block) -> Block {
    std::array::from_fn(|word| {
        let (one, other) = (one[word].to_le_bytes(), other[word].to_le_bytes());
        u64::from_le_bytes(std::array::from_fn(|byte| {
            let low = (one[byte] & 0x0f).max(other[byte] & 0x0f);
            low | (one[byte] & 0xf0).max(other[byte] & 0xf0)
        }))
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    /// Spreads small numbers over 64 bits (SplitMix64).
    fn hash(key: u64) -> u64 {
        let n = key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    }

    #[test]
    fn all_counts_are_halved_once_per_period() {
        let mut sketch = Sketch::new();
        (0..20).for_each(|key| sketch.add(hash(key), 8));
        let entries = 200;
        for period in 1..40 {
            (0..entries * SAMPLE).for_each(|_| sketch.age(entries));
            assert!((0..20).all(|key| sketch.count(hash(key)) == 8 >> period.min(4)));
            sketch.validate();
        }
    }

    #[test]
    fn counts_are_full_at_fifteen() {
        let mut sketch = Sketch::new();
        sketch.add(hash(1), 100);
        sketch.add(hash(1), 100);
        assert_eq!(sketch.count(hash(1)), 15);
    }

    #[test]
    fn a_sketch_grows_with_the_cache_and_forgets_nothing() {
        let mut sketch = Sketch::new();
        (0..50).for_each(|key| sketch.add(hash(key), 1 + key % 10));
        let small = sketch.bytes();
        (0..10_000).for_each(|entries| sketch.age(entries));
        sketch.validate();
        assert!(sketch.bytes() > small && sketch.bytes() <= 10_000 * 10);
        let is_known = |key| sketch.count(hash(key)) >= (1 + key % 10) >> sketch.age;
        assert!((0..50).all(is_known));
    }

    #[test]
    fn most_counts_are_exact_while_no_more_keys_come_than_there_are_entries() {
        let mut sketch = Sketch::new();
        (0..1000).for_each(|entries| sketch.age(entries));
        (0..1000).for_each(|key| sketch.add(hash(key), 3));
        let exact = (0..1000).filter(|&key| sketch.count(hash(key)) == 3);
        assert!(exact.count() > 900);
    }

    proptest! {
        #[test]
        fn a_count_is_never_too_low(keys in prop::collection::vec(0..200_u64, 1..400)) {
            let mut sketch = Sketch::new();
            let mut came = HashMap::new();
            for key in keys {
                sketch.add(hash(key), 1);
                *came.entry(key).or_insert(0) += 1;
            }
            for (key, times) in came {
                prop_assert!(sketch.count(hash(key)) >= MOST.min(times));
            }
        }
    }
}
