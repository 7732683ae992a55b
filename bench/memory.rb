# frozen_string_literal: true

# How much memory does an entry take beside its key and its value?

require_relative "support"

ENTRIES = Bench.scaled(1_000_000, quick: 100_000)
ROUNDS = Bench.scaled(3, quick: 1)
STORES = {
  "no bound" => { max_entries: nil },
  "max_entries" => { max_entries: ENTRIES },
  "expires_in" => { max_entries: nil, expires_in: 3600 },
  "max_entries and expires_in" => { max_entries: ENTRIES, expires_in: 3600 }
}.freeze

# Keys and values are there before, so that nothing grows but the cache: its
# Rust memory as the allocator hands it out, and the segments, which are Ruby objects.
#
# @return [Array(Float, Float)] bytes per entry: as the store counts them, as the process grows
def bytes_per_entry(options)
  keys = Array.new(ENTRIES) { |i| "key:#{i}" }
  values = Array.new(ENTRIES) { Object.new }
  of_keys = keys.sum(&:bytesize)
  store = Ccache::Store.new(**options)
  Bench.settle
  before = ResidentMemory.bytes
  keys.each_index { |i| store[keys[i]] = values[i] }
  Bench.settle
  [store.stats[:bytes], ResidentMemory.bytes - before].map { |bytes| (bytes - of_keys).fdiv(ENTRIES) }
end

question = "How many bytes of Rust and registry memory does an entry take beside key and value?"
Bench::Report.open(question, "#{Bench.count(ENTRIES)} entries, String keys",
                   "medians of #{ROUNDS} processes for each store") do |report|
  report.bars do
    STORES.each do |name, options|
      figures = Array.new(ROUNDS) { Bench.in_child { bytes_per_entry(options) } }
      counted, grown = figures.transpose.map { |bytes| Bench.median(bytes) }
      report.bar("#{name}: stats[:bytes] per entry", counted, at_most: 200)
      report.bar("#{name}: growth of the process per entry", grown, at_most: 200)
    end
  end
end
