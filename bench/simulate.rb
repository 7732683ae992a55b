# frozen_string_literal: true

# What share of reads does the eviction policy answer, beside other caches? Counted by
# the program in bench/simulate; nothing is timed. TRACES names a folder of recorded
# traces, which are not part of this repository; without it the generated ones are all.

require_relative "support"

CHART = "hit_ratios.svg"
MANIFEST = File.expand_path("simulate/Cargo.toml", __dir__)
TARGET = File.expand_path("../target/simulate", __dir__)
AHEAD = /^The mean is ([+-][\d.]+) points/
LEAD = /^([+-][\d.]+) points: (.+)$/

def simulate
  command = ["cargo", "run", "--release", "--quiet", "--manifest-path", MANIFEST, "--target-dir", TARGET, "--",
             *ENV.fetch("TRACES", nil), "--chart", Bench::Results.chart(CHART), "--about", Bench::Environment.line,
             *(["--accesses", "20000"] if Bench.quick?)]
  said = IO.popen(command, &:read)
  abort "the simulation failed" unless Process.last_status.success?
  said
end

# @return [Hash{String => (Array<Array<String>>, Float, Array(Float, String))}] by title of
#   the traces: the table, the lead of the mean, the worst cell
def groups(said)
  said.split(/^(?=[^|\n]+: hits in percent)/).grep(/^\|/).to_h do |group|
    rows = group.lines.grep(/^\|/).map { |line| line.split("|").drop(1).map(&:strip).slice(0, 6) }
    lead, cell = group.match(LEAD).captures
    [rows.first.first, [rows.grep_v(->(row) { row.first.match?(/\A-+\z/) }), group[AHEAD, 1].to_f, [lead.to_f, cell]]]
  end
end

Bench::Report.open("What share of reads does the eviction policy answer?",
                   "hits in percent of reads, at capacities of 1, 5, 10 and 25 % of a trace's keys (16 entries at " \
                   "least); \"best possible\" knows the future",
                   "one thread reads each key, and writes it if it is not there; nothing is timed") do |report|
  groups(simulate).each do |title, (rows, ahead, (lead, cell))|
    report.table(*rows)
    report.bars(title) do
      report.bar("points by which the mean is ahead of the best peer's", ahead, at_least: 1)
      report.bar("points by which the worst cell is ahead of the best peer in it", lead, at_least: -3, note: cell)
    end
  end
  report.chart(CHART, "Hits in percent of reads, by trace and cache")
end
