//! Who goes when the cache is full: a window before a main part, an admission by
//! frequency between them, and a border that learns from what was missed.
//!
//! ```text
//!            ┌──────────┐ used, or came more often   ┌──────────────────┐
//!  new ────▶ │  window  │ ─────────────────────────▶ │       main       │
//!            │  (FIFO)  │    than who goes for it    │ (FIFO, re-entered│
//!            └────┬─────┘                            │   while in use)  │
//!                 ▼ else                             └────┬─────────────┘
//!         ghosts of the window                            ▼
//!                 └── soon back: into main          ghosts of main
//! ```
//!
//! **A hit** counts up to three in its own entry and touches nothing else. Both parts
//! are FIFOs; an entry whose turn it is while it has uses goes on: from the window
//! into main, in main to the end, for one use each (S3-FIFO: Yang, Zhang, Qiu, Yue
//! and Rashmi, SOSP 2023; the generalized clock: Smith, ACM TODS 1978). Those uses are
//! also added to a sketch, which remembers how often keys came, in the cache or
//! not.
//!
//! **The window** takes what is new. One that leaves it unused is compared with the
//! entry that main would give up, and takes its place if it came more often by two
//! (TinyLFU: Einziger, Friedman and Manes, ACM ToS 2017; two, since one is within the
//! sketch's noise): a scan or a flood of keys that come once never enters main.
//! Else it becomes a ghost.
//!
//! **A ghost that comes back** goes into main at once if its key came more often than
//! main's next victim, or as often and after so short a time that the reuse is closer
//! than three quarters of a cache (the reuse distance decides, as in LIRS: Jiang and Zhang,
//! SIGMETRICS 2002). So in a loop that is larger than the cache the entries of main stay
//! and are hit, while a drift of what is popular replaces them quickly.
//!
//! **The border** between the two moves by near ghosts: see [`window`].
//!
//! Bounds are of entries, of bytes, or both. Parts, ages and steps are shares of the
//! bound, an entry's share being that of the bound that it takes more of. Nobody can
//! choose keys that collide: hashes are seeded.
//!
//! Per entry: 24 bytes for its node (30 while the slab grows), 16 in the entry, 10 of
//! ghosts, 4 to 8 of the sketch.

mod ghosts;
mod load;
mod sketch;
#[cfg(all(test, not(loom)))]
mod tests;
mod window;

use crate::entry::{Entry, Uses};
use crate::linked_slab::{LinkedSlab, Node};
use ghosts::{Ghost, Ghosts, Part};
pub use load::Bounds;
pub(crate) use load::Load;
use sketch::Sketch;
use std::sync::Arc;
use window::{NEAR, Window};

const WINDOW: usize = Part::Window as usize;
const MAIN: usize = Part::Main as usize;

/// Ghosts of the window count until a whole cache has left it behind them (S3-FIFO's
/// ghost queue, the length of ARC's lists); those of main serve the border alone.
const OLDEST: [f64; 2] = [1.0, NEAR];

/// A key that came as often as main's victim enters if its ghost is younger than this.
const SOON: f64 = 0.75;

/// By how much a key that was not used in the window must have come more often.
const MARGIN: u64 = 2;

/// The entries that one eviction looks at. If all of so many are in use, the next goes
/// nevertheless: a write must not wait until a hand has gone through millions.
const LOOKS: usize = 1024;

/// The entries of a bounded cache, and what is remembered of others.
#[derive(Debug)]
pub(crate) struct Policy<V> {
    bounds: Bounds,
    entries: LinkedSlab<Arc<Entry<V>>>,
    loads: [Load; 2],
    /// Room that was made for writes that are about to come.
    reserved: Load,
    window: Window,
    ghosts: Ghosts,
    sketch: Sketch,
    /// Nothing was evicted yet, so that main takes what is new.
    is_filling: bool,
}

impl<V> Policy<V> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            entries: LinkedSlab::new(2),
            loads: [Load::default(); 2],
            reserved: Load::default(),
            window: Window::new(),
            ghosts: Ghosts::new(OLDEST),
            sketch: Sketch::new(),
            is_filling: true,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes() + self.ghosts.bytes() + self.sketch.bytes()
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What is in the cache.
    pub(crate) fn load(&self) -> Load {
        let mut load = self.loads[WINDOW];
        load += self.loads[MAIN];
        load
    }

    /// Sets room aside for a write to come; [`insert`](Self::insert) or
    /// [`replace`](Self::replace) is to follow [`release`](Self::release).
    pub(crate) fn reserve(&mut self, load: Load) {
        self.reserved += load;
    }

    /// Gives reserved room back.
    pub(crate) fn release(&mut self, load: Load) {
        self.reserved -= load;
    }

    /// Takes in the entry of a key that was not there. `hash` is that of an entry's
    /// key, here and below.
    pub(crate) fn insert(&mut self, entry: &Arc<Entry<V>>, hash: impl Fn(&Entry<V>) -> u64) {
        self.sketch.add(hash(entry), 1);
        self.sketch.age(self.entries.len());
        let load = Load::one(entry.weight());
        let part = self.part_for(entry, self.bounds.share(load), hash);
        let node = self.entries.append(part as usize, Arc::clone(entry));
        entry.place.in_policy.put(node);
        self.loads[part as usize] += load;
    }

    /// Puts a new write of a key in the place of the old one.
    pub(crate) fn replace(
        &mut self,
        old: &Entry<V>,
        new: &Arc<Entry<V>>,
        hash: impl Fn(&Entry<V>) -> u64,
    ) {
        let Some(node) = old.place.in_policy.take() else {
            return self.insert(new, hash); // the old one was being evicted
        };
        new.place.in_policy.put(node);
        self.entries.replace(node, Arc::clone(new));
        let load = &mut self.loads[self.entries.list_of(node)];
        *load -= Load::one(old.weight());
        *load += Load::one(new.weight());
    }

    pub(crate) fn remove(&mut self, entry: &Entry<V>) {
        if let Some(node) = entry.place.in_policy.get() {
            self.unlink(node);
        }
        if self.entries.len() == 0 {
            self.is_filling = true;
            self.ghosts.shrink();
            self.sketch.shrink();
        }
    }

    /// Whether the bounds, with what is reserved, do not hold.
    pub(crate) fn has_surplus(&self) -> bool {
        let mut load = self.load();
        load += self.reserved;
        !self.bounds.allow(load)
    }

    /// Takes out the entry that goes next if the bounds, with what is reserved, do
    /// not hold. `newcomer` was just written and does not go for itself.
    pub(crate) fn evict_surplus(
        &mut self,
        newcomer: Option<&Entry<V>>,
        hash: impl Fn(&Entry<V>) -> u64,
    ) -> Option<Arc<Entry<V>>> {
        if !self.has_surplus() {
            return None;
        }
        self.is_filling = false;
        self.ghosts.fit(self.entries.len());
        let (node, part) = self.victim(newcomer, &hash)?;
        let victim = self.unlink(node)?;
        let share = self.bounds.share(Load::one(victim.weight()));
        self.ghosts.add(hash(&victim), part, share);
        Some(victim)
    }

    /// Changes the bounds; [`evict_surplus`](Self::evict_surplus) is to follow.
    pub(crate) fn resize(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Gives back the memory of what is no longer needed.
    pub(crate) fn compact(&mut self) {
        let mut entries = LinkedSlab::new(2);
        for part in [WINDOW, MAIN] {
            while let Some(entry) = self.entries.pop_first(part) {
                let node = entries.append(part, Arc::clone(&entry));
                entry.place.in_policy.put(node);
            }
        }
        self.entries = entries;
        self.ghosts.shrink();
        self.sketch.shrink();
    }

    /// Where the entry of a key that was not there goes, and what is learnt from it.
    fn part_for(&mut self, entry: &Entry<V>, share: f64, hash: impl Fn(&Entry<V>) -> u64) -> Part {
        if self.is_filling {
            let main = self.bounds.share(self.loads[MAIN]) + share;
            let fits = main + self.window.share() <= 1.0;
            return if fits { Part::Main } else { Part::Window };
        }
        let Some(ghost) = self.ghosts.take(hash(entry)) else {
            return Part::Window;
        };
        self.window.learn(ghost, share);
        match ghost.left {
            Part::Window if self.enters_main(entry, ghost, &hash) => Part::Main,
            _ => Part::Window,
        }
    }

    fn enters_main(
        &mut self,
        entry: &Entry<V>,
        ghost: Ghost,
        hash: &impl Fn(&Entry<V>) -> u64,
    ) -> bool {
        let Some(victim) = self.last_of_main(None, &mut { LOOKS }, hash) else {
            return true;
        };
        let came = self.sketch.count(hash(entry));
        let victim_came = self.count(victim, hash);
        came > victim_came || came == victim_came && ghost.age <= SOON
    }

    /// Who goes next, and from where.
    fn victim(
        &mut self,
        newcomer: Option<&Entry<V>>,
        hash: &impl Fn(&Entry<V>) -> u64,
    ) -> Option<(Node, Part)> {
        let mut looks = LOOKS;
        while let Some(node) = self.surplus_of_window(newcomer) {
            if looks > 0 && self.count_use(node, Uses::MOST, hash) {
                looks -= 1;
                self.enter_main(node);
                continue;
            }
            let Some(other) = self.last_of_main(newcomer, &mut looks, hash) else {
                return Some((node, Part::Window));
            };
            if self.count(node, hash) < self.count(other, hash) + MARGIN {
                return Some((node, Part::Window));
            }
            self.enter_main(node);
            return Some((other, Part::Main));
        }
        if let Some(node) = self.last_of_main(newcomer, &mut looks, hash) {
            return Some((node, Part::Main));
        }
        Some((self.oldest(WINDOW, newcomer)?, Part::Window))
    }

    /// The oldest entry of the window, if that is larger than it is to be.
    fn surplus_of_window(&self, newcomer: Option<&Entry<V>>) -> Option<Node> {
        let node = self.oldest(WINDOW, newcomer)?;
        let mut load = self.loads[WINDOW];
        load += Load::one(self.entries.get(node)?.weight());
        let is_surplus =
            self.entries.is_empty(MAIN) || self.bounds.share(load) > self.window.share();
        is_surplus.then_some(node)
    }

    /// The entry that main gives up next: the first that is not in use.
    fn last_of_main(
        &mut self,
        newcomer: Option<&Entry<V>>,
        looks: &mut usize,
        hash: &impl Fn(&Entry<V>) -> u64,
    ) -> Option<Node> {
        loop {
            let node = self.oldest(MAIN, newcomer)?;
            if *looks == 0 || !self.count_use(node, 1, hash) {
                return Some(node);
            }
            *looks -= 1;
            self.entries.move_to_end(MAIN, node);
        }
    }

    /// The oldest entry of a part, `newcomer` apart.
    fn oldest(&self, part: usize, newcomer: Option<&Entry<V>>) -> Option<Node> {
        let first = self.entries.first(part)?;
        let is_newcomer = newcomer.is_some_and(|newcomer| {
            let entry = self.entries.get(first);
            entry.is_some_and(|entry| std::ptr::eq(&**entry, newcomer))
        });
        if is_newcomer {
            self.entries.after(first)
        } else {
            Some(first)
        }
    }

    /// Takes one use from an entry and adds up to `most` of them to the sketch; false if
    /// there was none.
    fn count_use(&mut self, node: Node, most: u32, hash: &impl Fn(&Entry<V>) -> u64) -> bool {
        let Some(entry) = self.entries.get(node) else {
            return false;
        };
        let uses = entry.place.uses.get();
        if uses == 0 {
            return false;
        }
        entry.place.uses.put(uses - 1);
        self.sketch.add(hash(entry), u64::from(uses.min(most)));
        true
    }

    /// How often the key at a node came.
    fn count(&self, node: Node, hash: &impl Fn(&Entry<V>) -> u64) -> u64 {
        let entry = self.entries.get(node);
        entry.map_or(0, |entry| self.sketch.count(hash(entry)))
    }

    fn enter_main(&mut self, node: Node) {
        let Some(entry) = self.entries.get(node) else {
            return;
        };
        let load = Load::one(entry.weight());
        self.loads[WINDOW] -= load;
        self.loads[MAIN] += load;
        self.entries.move_to_end(MAIN, node);
    }

    fn unlink(&mut self, node: Node) -> Option<Arc<Entry<V>>> {
        let part = self.entries.list_of(node);
        let entry = self.entries.unlink(node)?;
        entry.place.in_policy.take();
        self.loads[part] -= Load::one(entry.weight());
        Some(entry)
    }

    /// About how often an entry's key came lately.
    pub(crate) fn popularity(&self, entry: &Entry<V>, hash: u64) -> u64 {
        self.sketch.count(hash) + u64::from(entry.place.uses.get())
    }

    pub(crate) fn holds(&self, entry: &Arc<Entry<V>>) -> bool {
        let node = entry.place.in_policy.get();
        let held = node.and_then(|node| self.entries.get(node));
        held.is_some_and(|held| Arc::ptr_eq(held, entry))
    }

    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn has_nothing_reserved(&self) -> bool {
        self.reserved == Load::default()
    }

    /// Checks everything; for tests.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn validate(&self) {
        self.entries.validate();
        self.ghosts.validate();
        self.sketch.validate();
        for part in [WINDOW, MAIN] {
            let mut load = Load::default();
            let mut next = self.entries.first(part);
            while let Some(node) = next {
                next = self.entries.after(node);
                if let Some(entry) = self.entries.get(node) {
                    assert!(self.holds(entry), "an entry does not know its node");
                    load += Load::one(entry.weight());
                }
            }
            assert_eq!(load, self.loads[part]);
        }
        assert_eq!(self.load().entries, self.entries.len());
    }
}
