# frozen_string_literal: true

# How long does a minor GC pause right after one insert into a large cache?

require_relative "support"

ENTRIES = 1_000_000
ROUNDS = 25
SEGMENT = 64
OVERWRITES = 1000
SIZES = [10_000, ENTRIES].freeze

def index_writer(cache)
  ->(key, value) { cache[key] = value }
end

# How many entries, and what makes a cache and returns how to insert into it:
# nil for a peer that is not installed.
CACHES = {
  "an empty process" => [0, -> { index_writer({}) }],
  "the same objects, no cache" => [ENTRIES, -> { objects_without_cache }],
  "Store" => [ENTRIES, -> { index_writer(Ccache::Store.new) }],
  "Hash" => [ENTRIES, -> { index_writer({}) }],
  "LruRedux::ThreadSafeCache" => [ENTRIES, -> { lru_redux }],
  "MemoryStore" => [ENTRIES, -> { Bench.memory_store.method(:write) if Bench.memory_store? }]
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
  store = Ccache::Store.new
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

def compare_pauses(report)
  figures = CACHES.to_h { |name, (entries, make)| [name, Bench.in_child { pauses(make, entries) }] }.compact
  store = figures.fetch("Store").first
  rows = figures.map do |name, (pause, whole)|
    [name, format("%.2f", pause), format("%.1f", pause / store), format("%.2f", whole)]
  end
  report.table(["", "ms", "times Store", "ms with the whole sweep"], *rows)
  report.bars { report.bar("pause with a Hash, times pause with a Store", figures["Hash"].first / store, at_least: 20) }
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
