# frozen_string_literal: true

# What becomes of memory, of the minor GC's pause and of the slowest writes while
# millions of fresh keys push out old ones?

require_relative "support"
require_relative "charts/lines"

BOUND = Bench.scaled(100_000, quick: 10_000)
MILLION = Bench.scaled(1_000_000, quick: 50_000)
MILLIONS = Bench.scaled(10, quick: 2)
PAUSES = Bench.scaled(15, quick: 3)
PERCENTILES = { "p50" => 0.5, "p99" => 0.99, "p99.99" => 0.9999, "longest" => 1.0 }.freeze

# What was found after a million writes: the process' memory in MB, the median pause and
# the million's p99.99 in ms.
Million = Struct.new(:memory, :pause, :slow)

# What makes a cache; nil for a peer that is not installed.
CACHES = {
  "Store" => -> { Ccache::Store.new(max_entries: BOUND) },
  "LruRedux::ThreadSafeCache" => -> { LruRedux::ThreadSafeCache.new(BOUND) if Bench.available?("lru_redux") }
}.freeze

# How long writes took, in nanoseconds: as many at each length, since a list of ten
# million numbers would be memory of this process, too.
class Lengths
  STEP = 10
  LONGEST = 100_000

  def initialize
    @counts = Array.new(LONGEST + 1, 0)
    @longer = []
  end

  def clear
    @counts.fill(0)
    @longer.clear
  end

  def add(nanoseconds)
    step = nanoseconds / STEP
    step > LONGEST ? @longer << nanoseconds : @counts[step] += 1
  end

  # @param share [Float] of the writes that took no longer
  # @return [Float] milliseconds
  def percentile(share)
    wanted = (share * (@counts.sum + @longer.size)).ceil
    @counts.each_with_index do |count, step|
      wanted -= count
      return (step + 1) * STEP / 1e6 if wanted <= 0
    end
    @longer.sort.fetch(wanted - 1) / 1e6
  end
end

# Each write by itself, on the wall: what Ruby's GC takes in the middle of one counts.
def write_a_million(cache, from, *lengths)
  clock = Process::CLOCK_MONOTONIC
  number = from
  while number < from + MILLION
    key = "key:#{number}"
    value = Object.new
    started = Process.clock_gettime(clock, :nanosecond)
    cache[key] = value
    took = Process.clock_gettime(clock, :nanosecond) - started
    lengths.each { |all| all.add(took) }
    number += 1
  end
end

# The next million's keys are fresh all the same: these have another name.
def median_pause(cache, million)
  Bench.median(Bench.minor_gc_pauses(PAUSES) { |round| cache["pause:#{million}:#{round}"] = Object.new })
end

# @return [Array(Array<Million>, Array<Float>), nil] and the percentiles of all
def churn(make)
  cache = make.call or return
  of_million = Lengths.new
  of_all = Lengths.new
  after = Array.new(MILLIONS) do |million|
    of_million.clear
    write_a_million(cache, million * MILLION, of_million, of_all)
    memory = ResidentMemory.bytes / 1e6
    Million.new(memory, median_pause(cache, million), of_million.percentile(PERCENTILES["p99.99"]))
  end
  [after, PERCENTILES.values.map { |share| of_all.percentile(share) }]
end

def panel(title, unit, measured, what)
  lines = measured.transform_values { |after, _| after.map(&what).each_with_index.map { |figure, i| [i + 1, figure] } }
  Bench::Charts::Panel.new(title: title, lines: lines, up: unit, scale: Bench::Charts::LinearAxis)
end

def chart(measured)
  panels = [panel("Memory of the process", "MB", measured, :memory),
            panel("Minor GC right after a write", "ms per GC", measured, :pause),
            panel("p99.99 of each million writes", "ms per write", measured, :slow)]
  about = "a bound of #{Bench.count(BOUND)} entries; a process for each cache; medians of #{PAUSES} pauses"
  Bench::Charts::Lines.new(title: "While fresh keys push out old ones", about: [about], panels: panels,
                           across: "million writes", scale: Bench::Charts::LinearAxis)
end

# The worst after the first million, beside that after the first.
def growth(after, what)
  first, *others = after.map(&what)
  others.max / first
end

Bench::Report.open("What becomes of memory, pauses and the slowest writes while fresh keys push out old ones?",
                   "#{Bench.count(MILLIONS * MILLION)} writes of fresh String keys into a bound of " \
                   "#{Bench.count(BOUND)}, each timed by itself on the wall; a process for each cache",
                   "memory and pause after each million; medians of #{PAUSES} minor GCs, each after one write, " \
                   "in processor time") do |report|
  measured = CACHES.transform_values { |make| Bench.in_child { churn(make) } }.compact
  report.table(["ms per write", *PERCENTILES.keys],
               *measured.map { |name, (_, lengths)| [name, *lengths.map { |length| format("%.4f", length) }] })
  measured.each do |name, (after, _)|
    report.table([name, *Array.new(MILLIONS) { |i| "#{i + 1} M" }],
                 ["memory, MB", *after.map { |million| million.memory.round.to_s }],
                 ["minor GC, ms", *after.map { |million| format("%.2f", million.pause) }],
                 ["p99.99 of a write, ms", *after.map { |million| format("%.3f", million.slow) }])
  end
  report.chart("churn.svg", "Memory, minor GC pause and slowest writes after each million", chart(measured))
  after, lengths = measured.fetch("Store")
  report.bars do
    report.bar("Store: most memory after the first million, times that after it", growth(after, :memory), at_most: 1.05)
    report.bar("Store: longest pause after the first million, times that after it", growth(after, :pause), at_most: 1.5)
    report.bar("Store: ms that a write takes at p99.99", lengths[PERCENTILES.keys.index("p99.99")], less_than: 5)
  end
end
