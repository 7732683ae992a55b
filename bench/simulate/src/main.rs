//! What share of reads does the cache answer? Ours beside LRU, quick_cache, moka and
//! the best that any policy could do, on generated workloads and, if their folder is
//! given, on recorded traces. One thread reads and writes what it misses; capacities
//! are shares of the number of keys. All seeds are fixed.
//!
//! ```sh
//! cargo run --release --manifest-path bench/simulate/Cargo.toml -- \
//!   [TRACES] [--chart FILE] [--about LINE] [--accesses MOST]
//! ```

mod caches;
mod chart;
mod results;
mod trace;
mod workloads;

use results::Results;
use std::path::PathBuf;
use std::process::ExitCode;
use trace::Trace;

struct Arguments {
    traces: Option<PathBuf>,
    chart: Option<PathBuf>,
    /// What the chart says of where it was made.
    about: String,
    /// No trace is longer than this.
    accesses: usize,
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments {
        traces: None,
        chart: None,
        about: String::new(),
        accesses: usize::MAX,
    };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--chart" => arguments.chart = Some(given.next().ok_or("--chart needs a file")?.into()),
            "--about" => arguments.about = given.next().ok_or("--about needs a line")?,
            "--accesses" => {
                let most = given.next().ok_or("--accesses needs a number")?;
                let wrong = |_| format!("--accesses {most} is no number");
                arguments.accesses = most.parse().map_err(wrong)?;
            }
            flag if flag.starts_with('-') => return Err(format!("unknown option {flag}")),
            folder => arguments.traces = Some(folder.into()),
        }
    }
    Ok(arguments)
}

fn cut(traces: Vec<Trace>, most: usize) -> Vec<Trace> {
    traces.into_iter().map(|trace| trace.cut(most)).collect()
}

fn run() -> Result<(), String> {
    let arguments = arguments()?;
    let mut all = Vec::new();
    match &arguments.traces {
        None => println!("No folder of traces was given: generated workloads alone.\n"),
        Some(folder) => {
            let traces = Results::of(cut(trace::read_all(folder)?, arguments.accesses));
            traces.print("Recorded traces");
            all.push(("Recorded traces", traces));
        }
    }
    let generated = Results::of(cut(workloads::all(), arguments.accesses));
    generated.print("Generated workloads");
    all.push(("Generated workloads", generated));
    if let Some(path) = &arguments.chart {
        let drawn = chart::draw(&all, &arguments.about);
        std::fs::write(path, drawn).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
