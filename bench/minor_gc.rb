# frozen_string_literal: true

# How long does a minor GC pause right after one insert into a large cache?

require_relative "support"
require_relative "charts/lines"

ENTRIES = Bench.scaled(1_000_000, quick: 100_000)
ROUNDS = Bench.scaled(25, quick: 3)
SEGMENT = 64
OVERWRITES = 1000
SIZES = [10_000, ENTRIES].freeze
CHARTED = [10_000, 100_000, ENTRIES].uniq.freeze

def index_writer(cache)
  ->(key, value) { cache[key] = value }
end

# What makes a cache and returns how to insert into it: nil for a peer that is not installed.
CACHES = {
  "Store" => -> { index_writer(Ccache::Store.new(max_entries: nil)) },
  "Hash" => -> { index_writer({}) },
  "the same objects, no cache" => -> { objects_without_cache },
  "LruRedux::ThreadSafeCache" => -> { lru_redux },
  "MemoryStore" => -> { Bench.memory_store.method(:write) if Bench.memory_store? }
}.freeze

def lru_redux
  index_writer(LruRedux::ThreadSafeCache.new(ENTRIES + (2 * ROUNDS))) if Bench.available?("lru_redux")
end

# Arrays that nothing is inserted into once they are full: what any heap of this size costs.
def objects_without_cache
  held = Array.new(ENTRIES / 1000) { [] }
  lambda do |key, value|
    number = key.delete_prefix("key:").to_i
    held[number / 1000].push(key, value) if number < ENTRIES
  end
end

# @return [Array(Float, Float), nil] medians in milliseconds: marking and the
#   begin of the sweep, and with the whole sweep; nil without the peer
def pauses(make, entries)
  insert = make.call or return
  entries.times { |i| insert.call("key:#{i}", Object.new) }
  Bench.settle
  number = entries - 1
  [false, true].map do |immediate_sweep|
    Bench.median(Bench.minor_gc_pauses(ROUNDS, immediate_sweep: immediate_sweep) do
      insert.call("key:#{number += 1}", Object.new)
    end)
  end
end

def slots_marked
  before = Ccache::PinList.slots_marked
  yield
  Ccache::PinList.slots_marked - before
end

def settled_store(entries)
  store = Ccache::Store.new(max_entries: nil)
  entries.times { |i| store["key:#{i}"] = Object.new }
  Bench.settle
  store
end

# Slots visited by as many minor GCs as a segment has slots, each right after
# one insert: so, whatever the size, one of them also links a new segment.
def slots_by_insert(entries)
  store = settled_store(entries)
  slots_by_minor_gcs(SEGMENT) { |round| store["new:#{round}"] = Object.new }
end

def slots_by_overwrite(entries)
  store = settled_store(entries)
  random = Bench.random
  slots_by_minor_gcs(ROUNDS) do
    OVERWRITES.times { store["key:#{random.rand(entries)}"] = Object.new }
  end.fdiv(ROUNDS * OVERWRITES)
end

def slots_by_minor_gcs(rounds)
  GC.disable # so that no other GC runs in between
  slots_marked do
    rounds.times do |round|
      yield round
      GC.start(full_mark: false)
    end
  end
end

# @return [Hash{String => Hash{Integer => Array(Float, Float)}}] pauses by cache and entries
def measured_pauses
  by_size = CACHES.transform_values do |make|
    CHARTED.to_h { |entries| [entries, Bench.in_child { pauses(make, entries) }] }.compact
  end
  by_size.reject { |_, pauses| pauses.empty? }
end

def compare_pauses(report)
  all = measured_pauses
  empty = Bench.in_child { pauses(-> { index_writer({}) }, 0) }
  largest = all.transform_values { |by_size| by_size.fetch(ENTRIES) }
  store = largest.fetch("Store").first
  rows = { "an empty process" => empty, **largest }.map do |name, (pause, whole)|
    [name, format("%.2f", pause), format("%.1f", pause / store), format("%.2f", whole)]
  end
  report.table(["", "ms", "times Store", "ms with the whole sweep"], *rows)
  report.chart("minor_gc.svg", "Milliseconds of a minor GC by entries: a store adds nothing to what its objects take",
               chart(all))
  report.bars do
    report.bar("pause with a Hash, times pause with a Store", largest["Hash"].first / store, at_least: 20)
  end
end

def chart(all)
  lines = all.transform_values { |by_size| by_size.map { |entries, (pause, _)| [entries, pause] } }
  panel = Bench::Charts::Panel.new(title: "", lines: lines, up: "ms", scale: Bench::Charts::LogAxis)
  about = "medians of #{ROUNDS} minor GCs, each after one insert, in processor time; a process for each point"
  Bench::Charts::Lines.new(title: "The pause of a minor GC", about: [about], panels: [panel], across: "entries")
end

def compare_slots(report)
  inserts, overwrites = %i[slots_by_insert slots_by_overwrite].map do |count|
    SIZES.map { |entries| Bench.in_child { send(count, entries) } }
  end
  report.table(["slots visited by mark functions", *SIZES.map { |entries| "#{Bench.count(entries)} entries" }],
               ["#{SEGMENT} inserts, a minor GC after each", *inserts.map { |slots| Bench.count(slots) }],
               ["per random overwrite, #{Bench.count(OVERWRITES)} between two minor GCs",
                *overwrites.map { |slots| format("%.2f", slots) }])
  report.bars do
    report.bar("slots visited after inserts, 1,000,000 entries", inserts.last, equal_to: inserts.first)
    report.bar("slots visited per overwrite", overwrites.max, at_most: SEGMENT)
  end
end

question = "How long does a minor GC pause right after one insert?"
Bench::Report.open(question, "#{Bench.count(ENTRIES)} entries, String keys, each cache in a process of its own",
                   "medians of #{ROUNDS} minor GCs, each after one insert, in processor time",
                   "random overwrites by seed #{Bench::SEED}") do |report|
  compare_pauses(report)
  compare_slots(report)
end
