# frozen_string_literal: true

# How long does a write take, beside other caches?

require_relative "support"

ENTRIES = Bench.scaled(10_000, quick: 1000)
ROUNDS = Bench.scaled(21, quick: 3)

keys = Array.new(ENTRIES) { |i| "key:#{i}" }.shuffle(random: Bench.random)
values = Array.new(ENTRIES) { Object.new }

# By name: how a cache is made, and one write.
writers = {
  "Store#[]=" => [-> { Ccache::Store.new }, "cache[key] = values[i]"],
  "Store#set" => [-> { Ccache::Store.new }, "cache.set(key, values[i])"],
  "Store#[]=, no bound" => [-> { Ccache::Store.new(max_entries: nil) }, "cache[key] = values[i]"],
  "Store#[]=, expires_in" => [-> { Ccache::Store.new(expires_in: 3600) }, "cache[key] = values[i]"],
  "Hash#[]=" => [-> { {} }, "cache[key] = values[i]"]
}
if Bench.available?("lru_redux")
  writers["LruRedux::ThreadSafeCache#[]="] = [-> { LruRedux::ThreadSafeCache.new(ENTRIES) }, "cache[key] = values[i]"]
end
writers["MemoryStore#write"] = [-> { Bench.memory_store }, "cache.write(key, values[i])"] if Bench.memory_store?

# Of each peer one cache, which the first turn fills, uncounted.
overwriting = Bench::Timing.new(keys: keys, values: values, rounds: ROUNDS, empty: "values[i]")
writers.each { |name, (make, code)| overwriting.add(name, make.call, code) }

# A new cache for each pass.
filling = Bench::Timing.new(keys: keys, values: values, rounds: ROUNDS, empty: "values[i]")
writers.each { |name, (make, code)| filling.add(name, nil, code, reset: make) }

Bench::Report.open("How long does a write take?",
                   "#{Bench.count(ENTRIES)} entries, String keys in random order (seed #{Bench::SEED})",
                   "medians of #{ROUNDS} rounds, peers in turn, processor time net of the empty loop") do |report|
  { "an entry that is there" => overwriting, "one more entry, from none" => filling }.each do |what, timing|
    timing.run
    report.table([what, "ns per write", "times Store#[]="], *timing.rows("Store#[]="))
  end
end
