//! Workloads made up from a seed: Zipf's law with drift, jumps, scans, loops and floods
//! of keys that come once, and others that a policy may be caught out by.

use crate::trace::Trace;
use std::collections::VecDeque;

/// Keys from here on never meet those below.
const FAR: u64 = 1 << 40;

const ACCESSES: u64 = 1_000_000;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Draws rank r with a probability that falls as r to the power of an exponent.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(keys: u64, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weights = (1..=keys).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        let mut below: Vec<_> = weights.collect();
        below.iter_mut().for_each(|up_to| *up_to /= sum);
        Self(below)
    }

    fn draw(&self, random: &mut Random) -> u64 {
        let point = random.unit();
        self.0.partition_point(|&up_to| up_to < point) as u64
    }
}

/// All workloads.
pub(crate) fn all() -> Vec<Trace> {
    let mut all = Vec::new();
    for exponent in [0.7, 0.9, 1.1] {
        all.extend(zipfian(exponent));
    }
    all.extend([
        loops(),
        recency(),
        phases(),
        two_pools("two pools", 100, 10_000, 100_000),
        two_pools("two large pools", 3_000, 100_000, ACCESSES),
        moving(),
        bursts(),
        search(),
        database(),
    ]);
    all
}

/// Zipf's law over 100,000 keys, plain and disturbed.
fn zipfian(exponent: f64) -> Vec<Trace> {
    let zipf = Zipf::new(100_000, exponent);
    let trace = |name: &str, seed, access: &dyn Fn(u64, &mut Random) -> u64| {
        let mut random = Random(seed);
        let accesses = (0..ACCESSES).map(|moment| access(moment, &mut random));
        Trace::new(format!("zipf {exponent}{name}"), accesses)
    };
    vec![
        trace("", 1, &|_, random| zipf.draw(random)),
        // Each key becomes one rank less popular every 20 accesses.
        trace(", drift", 2, &|moment, random| {
            FAR + zipf.draw(random) - moment / 20
        }),
        // Every 200,000 accesses other keys are popular.
        trace(", jumps", 3, &|moment, random| {
            (zipf.draw(random) * 7919 + moment / 200_000 * 31_337) % 100_003
        }),
        // Now and then 2,000 keys that never come again.
        trace(", scans", 4, &|moment, random| match moment / 2000 % 4 {
            3 => FAR + moment,
            _ => zipf.draw(random),
        }),
        // A third of the accesses goes round 30,000 keys.
        trace(", loop", 5, &|moment, random| match moment % 3 {
            0 => FAR + moment / 3 % 30_000,
            _ => zipf.draw(random),
        }),
        // Half of the keys come once.
        trace(", flood", 6, &|moment, random| match random.below(2) {
            0 => FAR + moment,
            _ => zipf.draw(random),
        }),
    ]
}

/// Three loops of different lengths at once.
fn loops() -> Trace {
    let mut random = Random(7);
    let mut positions = [0; 3];
    let accesses = (0..400_000).map(|_| {
        let which = random.below(3) as usize;
        positions[which] += 1;
        FAR * which as u64 + positions[which] % [500, 3_000, 12_000][which]
    });
    Trace::new("loops", accesses)
}

/// The more recently a key came, the more likely it comes.
fn recency() -> Trace {
    let mut random = Random(8);
    let mut history: Vec<u64> = Vec::new();
    for moment in 0..500_000 {
        let key = if moment < 10 || random.below(10) < 3 {
            FAR + moment
        } else {
            let reach = moment.min(20_000) as f64;
            let back = (random.unit().powi(4) * reach) as u64;
            history[(moment - 1 - back.min(moment - 1)) as usize]
        };
        history.push(key);
    }
    Trace::new("recency", history)
}

/// Ten times something else.
fn phases() -> Trace {
    let mut random = Random(9);
    let zipf = Zipf::new(20_000, 0.9);
    let accesses = (0..600_000).map(|moment| {
        let (phase, moment) = (moment / 60_000, moment % 60_000);
        match phase % 5 {
            0 => zipf.draw(&mut random),
            1 => FAR + moment % 4_000,
            2 => 2 * FAR + phase * 100_000 + moment / 8 + random.below(1_000),
            3 => 3 * FAR + zipf.draw(&mut random) * 7 % 20_011,
            _ if moment % 2 == 0 => 4 * FAR + phase * 100_000 + moment,
            _ => zipf.draw(&mut random),
        }
    });
    Trace::new("phases", accesses)
}

/// Pages of an index and of records in turn (O'Neil, O'Neil and Weikum, SIGMOD 1993).
fn two_pools(name: &str, index: u64, records: u64, accesses: u64) -> Trace {
    let mut random = Random(10);
    let accesses = (0..accesses).map(|moment| match moment % 2 {
        0 => random.below(index),
        _ => FAR + random.below(records),
    });
    Trace::new(name, accesses)
}

/// A working set that wanders.
fn moving() -> Trace {
    let mut random = Random(11);
    let accesses = (0..500_000).map(|moment| moment / 10 + random.below(3_000));
    Trace::new("moving", accesses)
}

/// Each key comes a few times close together, then rarely.
fn bursts() -> Trace {
    let mut random = Random(13);
    let zipf = Zipf::new(50_000, 0.8);
    let mut soon = VecDeque::new();
    let accesses = (0..600_000).map(|_| {
        if !soon.is_empty() && random.below(3) != 0 {
            let which = random.below(soon.len() as u64) as usize;
            soon.swap_remove_back(which).unwrap_or_default()
        } else {
            let key = zipf.draw(&mut random);
            soon.extend((0..=random.below(3)).map(|_| key));
            key
        }
    });
    Trace::new("bursts", accesses)
}

/// A search engine: weak preferences over many keys, and a long loop.
fn search() -> Trace {
    let mut random = Random(14);
    let zipf = Zipf::new(300_000, 0.6);
    let accesses = (0..1_500_000).map(|moment| match moment % 4 {
        0 => FAR + moment / 4 % 150_000,
        _ => zipf.draw(&mut random),
    });
    Trace::new("search", accesses)
}

/// A database: scans, parts of a table again and again, and point look-ups.
fn database() -> Trace {
    let mut random = Random(15);
    let zipf = Zipf::new(60_000, 1.0);
    let mut start = 0;
    let accesses = (0..1_500_000).map(|moment| {
        if moment % 1_000 == 0 {
            start = random.below(80) * 2_000;
        }
        match start / 40_000 {
            0 => 2 * FAR + moment,
            1 => FAR + start + moment % 1_000,
            _ => zipf.draw(&mut random),
        }
    });
    Trace::new("database", accesses)
}
