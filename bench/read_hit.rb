# frozen_string_literal: true

# How long does a read that hits take, beside other caches, and what does it allocate?

require_relative "support"
require_relative "charts/ranking"

ENTRIES = 10_000
ROUNDS = Bench.scaled(31, quick: 3)

keys = Array.new(ENTRIES) { |i| "key:#{i}" }
values = Array.new(ENTRIES) { Object.new }
# Equal to the keys, not the same objects, and not in the order they were written.
wanted = keys.shuffle(random: Bench.random).map(&:dup)

def filled(cache, keys, values)
  keys.zip(values) { |key, value| cache[key] = value }
  cache
end

store = filled(Ccache::Store.new, keys, values)

timing = Bench::Timing.new(keys: wanted, rounds: ROUNDS)
timing.add("Store#get", store, "cache.get(key)")
timing.add("Store#[]", store, "cache[key]")
timing.add("Store#fetch", store, "cache.fetch(key) { raise key }")
timing.add("Store#get, no bound", filled(Ccache::Store.new(max_entries: nil), keys, values), "cache.get(key)")
timing.add("Store#get, expires_in", filled(Ccache::Store.new(expires_in: 3600), keys, values), "cache.get(key)")
timing.add("Hash#[]", filled({}, keys, values), "cache[key]")
if Bench.available?("concurrent/map")
  timing.add("Concurrent::Map#[]", filled(Concurrent::Map.new, keys, values), "cache[key]")
end
if Bench.available?("lru_redux")
  timing.add("LruRedux::ThreadSafeCache#[]", filled(LruRedux::ThreadSafeCache.new(ENTRIES), keys, values), "cache[key]")
end
if Bench.memory_store?
  memory_store = Bench.memory_store
  keys.zip(values) { |key, value| memory_store.write(key, value) }
  timing.add("MemoryStore#read", memory_store, "cache.read(key)")
end

Bench::Report.open("How long does a read that hits take?",
                   "#{Bench.count(ENTRIES)} entries, String keys in random order (seed #{Bench::SEED})",
                   "medians of #{ROUNDS} rounds, peers in turn, processor time net of the empty loop") do |report|
  timing.run
  report.table(["", "ns per read", "times Store#get"], *timing.rows("Store#get"))
  about = "#{Bench.count(ENTRIES)} entries, String keys; medians of #{ROUNDS} rounds, processor time"
  rows = timing.all_nanoseconds
  report.chart("read_hit.svg", "Nanoseconds per read that hits, by cache",
               Bench::Charts::Ranking.new(title: "One read that hits", about: [about], rows: rows,
                                          ours: rows.keys.grep(/\AStore/), scale: Bench::Charts::LogAxis,
                                          across: "ns per read, on a logarithmic axis"))
  report.bars do
    report.bar("Store#get, times Hash#[]", timing.ratio("Store#get", "Hash#[]"), at_most: 2.0)
    report.bar("Store#[], times Hash#[]", timing.ratio("Store#[]", "Hash#[]"), at_most: 2.0)
    report.bar("Concurrent::Map#[], times Store#get", timing.ratio("Concurrent::Map#[]", "Store#get"), more_than: 1.0)
    report.bar("LruRedux::ThreadSafeCache#[], times Store#get",
               timing.ratio("LruRedux::ThreadSafeCache#[]", "Store#get"), at_least: 3.0)
    report.bar("MemoryStore#read, times Store#get", timing.ratio("MemoryStore#read", "Store#get"), at_least: 50.0)
    { get: ->(key) { store.get(key) }, "[]": ->(key) { store[key] } }.each do |name, read|
      report.bar("objects allocated by #{Bench.count(ENTRIES)} hits of Store##{name}",
                 Bench.allocated_by(wanted, &read), equal_to: 0)
    end
  end
end
