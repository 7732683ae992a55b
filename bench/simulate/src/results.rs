//! All hit ratios of some traces, as a table and against the bar.

use crate::caches::{self, NAMES, PEERS};
use crate::trace::Trace;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The capacities, in percent of a trace's keys.
pub(crate) const CAPACITIES: [f64; 4] = [1.0, 5.0, 10.0, 25.0];

/// No capacity is smaller than this.
const LEAST: usize = 16;

/// Hit ratios in percent by cache and capacity.
type Cells = [[f64; CAPACITIES.len()]; NAMES.len()];

/// The hit ratios of all caches on some traces.
pub(crate) struct Results {
    pub(crate) rows: Vec<(String, Cells)>,
}

impl Results {
    /// Runs all caches on all traces, on as many threads as there are processors.
    pub(crate) fn of(traces: Vec<Trace>) -> Self {
        let cells = CAPACITIES.len() * NAMES.len();
        let mut runs: Vec<_> = (0..traces.len() * cells).collect();
        runs.sort_by_key(|run| std::cmp::Reverse(traces[run / cells].accesses.len()));
        let next = AtomicUsize::new(0);
        let measured = Mutex::new(vec![[[0.0; CAPACITIES.len()]; NAMES.len()]; traces.len()]);
        let work = || {
            while let Some(&run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (trace, cell) = (run / cells, run % cells);
                let (cache, share) = (cell / CAPACITIES.len(), cell % CAPACITIES.len());
                let capacity = traces[trace].keys as f64 * CAPACITIES[share] / 100.0;
                let capacity = (capacity as usize).max(LEAST);
                let ratio = caches::hit_ratio(cache, capacity, &traces[trace]);
                if let Ok(mut measured) = measured.lock() {
                    measured[trace][cache][share] = ratio;
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        let measured = measured.into_inner().unwrap_or_default();
        let names = traces.into_iter().map(|trace| trace.name);
        Self {
            rows: names.zip(measured).collect(),
        }
    }

    /// The mean of a cache over all traces and capacities.
    pub(crate) fn mean(&self, cache: usize) -> f64 {
        let all = self.rows.iter().flat_map(|(_, cells)| cells[cache]);
        all.sum::<f64>() / (self.rows.len() * CAPACITIES.len()) as f64
    }

    /// The best mean of a single peer.
    fn best_peer(&self) -> f64 {
        PEERS.map(|peer| self.mean(peer)).fold(0.0, f64::max)
    }

    /// By how much each cell of ours is above the best peer's, the worst first.
    fn leads(&self) -> Vec<(f64, String)> {
        let mut leads = Vec::new();
        for (name, cells) in &self.rows {
            for (share, capacity) in CAPACITIES.iter().enumerate() {
                let best = PEERS.map(|peer| cells[peer][share]).fold(0.0, f64::max);
                leads.push((cells[0][share] - best, format!("{name} at {capacity}%")));
            }
        }
        leads.sort_by(|one, other| one.0.total_cmp(&other.0));
        leads
    }

    pub(crate) fn print(&self, title: &str) {
        println!(
            "{title}: hits in percent of reads, at capacities of 1, 5, 10 and 25% of the keys\n"
        );
        print!("| {title} |");
        NAMES.iter().for_each(|name| print!(" {name} |"));
        print!("\n|---|");
        NAMES.iter().for_each(|_| print!("---|"));
        println!();
        for (name, cells) in &self.rows {
            print!("| {name} |");
            for ratios in cells {
                let ratios = ratios.map(|ratio| format!("{ratio:.2}"));
                print!(" {} |", ratios.join(" · "));
            }
            println!();
        }
        print!("| **mean** |");
        (0..NAMES.len()).for_each(|cache| print!(" **{:.2}** |", self.mean(cache)));
        println!("\n");
        let ahead = self.mean(0) - self.best_peer();
        println!(
            "The mean is {ahead:+.2} points from the best peer's. The worst cells, each beside the best peer in it:"
        );
        for (lead, cell) in self.leads().iter().take(5) {
            println!("{lead:+.2} points: {cell}");
        }
        println!();
    }
}
