//! How large the window is: learnt from what would have been hits.
//!
//! A key that comes back soon after it left the window would have been a hit in a
//! slightly larger one, and likewise for the main part. Each such miss moves the
//! border by three times the entry's size in favour of the part that it left: the
//! pace matters little, and slow is worse than fast where the workload changes. (ARC,
//! FAST 2003, adapts by its ghosts in this way; that only those near the border count, so
//! that each part is judged by the next thing that it would keep, is the shadow
//! queue of Cliffhanger: Cidon, Eisenman, Alizadeh and Katti, NSDI 2016.)

use super::ghosts::{Ghost, Part};

/// W-TinyLFU's window, and the least that is left to either part.
const LEAST: f64 = 0.01;
const MOST: f64 = 0.99;

/// A ghost is near if a cache larger by this share would have kept the entry.
pub(crate) const NEAR: f64 = 0.1;

/// The border moves by so many times the entry's size.
const PACE: f64 = 3.0;

/// The border moves by this share at most: matters where an entry is a large part.
const STEP: f64 = 0.01;

/// The window's share of the cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window(f64);

impl Window {
    pub(crate) fn new() -> Self {
        Self(LEAST)
    }

    pub(crate) fn share(self) -> f64 {
        self.0
    }

    /// A key came back whose entry takes `share` of the cache.
    pub(crate) fn learn(&mut self, ghost: Ghost, share: f64) {
        if ghost.age <= NEAR {
            let step = (PACE * share).min(STEP);
            self.0 = match ghost.left {
                Part::Window => (self.0 + step).min(MOST),
                Part::Main => (self.0 - step).max(LEAST),
            };
        }
    }
}
