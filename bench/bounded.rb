# frozen_string_literal: true

# What does a bound cost: a read that hits, beside that of a store without one, and a
# write that evicts, beside LruRedux?

require_relative "support"

ENTRIES = Bench.scaled(10_000, quick: 1000)
FRESH = Bench.scaled(100_000, quick: 10_000)
BYTES = 10_000_000
ROUNDS = Bench.scaled(31, quick: 3)
WRITE_ROUNDS = Bench.scaled(15, quick: 3)

STORES = {
  "Store#get, no bound" => { max_entries: nil },
  "Store#get, idle_for" => { max_entries: nil, idle_for: 3600 },
  "Store#get, max_entries" => { max_entries: ENTRIES },
  "Store#get, expires_in" => { max_entries: nil, expires_in: 3600 },
  "Store#get, max_entries and expires_in" => { max_entries: ENTRIES, expires_in: 3600 },
  "Store#get, max_entries, max_bytes and expires_in" => { max_entries: ENTRIES, max_bytes: BYTES, expires_in: 3600 }
}.freeze

# As many reads of either kind: how often the policy has to look is the same.
def reads(keys, values)
  wanted = keys.shuffle(random: Bench.random).map(&:dup)
  timing = Bench::Timing.new(keys: wanted, rounds: ROUNDS)
  stores = STORES.transform_values { |options| filled(Ccache::Store.new(**options), keys, values) }
  stores.each { |name, store| timing.add(name, store, "cache.get(key)") }
  bounded = stores.values.last
  [timing.run, Bench.allocated_by(wanted) { |key| bounded.get(key) }]
end

def filled(cache, keys, values)
  keys.zip(values) { |key, value| cache[key] = value }
  cache
end

# Keys in turn, ten times as many as the bound: each is fresh when its turn comes.
def writes
  keys = Array.new(FRESH) { |i| "key:#{i}" }
  values = Array.new(FRESH) { Object.new }
  timing = Bench::Timing.new(keys: keys, values: values, rounds: WRITE_ROUNDS, empty: "values[i]")
  bounded = { max_entries: ENTRIES }
  timing.add("Store#[]=", Ccache::Store.new(**bounded), "cache[key] = values[i]")
  timing.add("Store#set", Ccache::Store.new(**bounded), "cache.set(key, values[i])")
  timing.add("Store#set, expires_in", Ccache::Store.new(expires_in: 3600, **bounded), "cache.set(key, values[i])")
  if Bench.available?("lru_redux")
    timing.add("LruRedux::ThreadSafeCache#[]=", LruRedux::ThreadSafeCache.new(ENTRIES), "cache[key] = values[i]")
  end
  timing.run
end

Bench::Report.open("What does a bound cost?", "a bound of #{Bench.count(ENTRIES)} entries, String keys; reads in " \
                                              "random order (seed #{Bench::SEED}), all hits; writes of " \
                                              "#{Bench.count(FRESH)} keys in turn, each evicts one",
                   "medians of #{ROUNDS} rounds (writes: #{WRITE_ROUNDS}), peers in turn, processor time net of the " \
                   "empty loop") do |report|
  reads, objects = reads(Array.new(ENTRIES) { |i| "key:#{i}" }, Array.new(ENTRIES) { Object.new })
  writes = writes()
  plain, idle, *bounded = STORES.keys
  report.table(["", "ns per read", "times no bound"], *reads.rows(plain))
  report.table(["", "ns per write", "times LruRedux"], *writes.rows("LruRedux::ThreadSafeCache#[]="))
  report.bars do
    bounded.each { |name| report.bar("#{name}, times no bound", reads.ratio(name, plain), at_most: 1.15) }
    report.figure("#{idle}, times no bound", reads.ratio(idle, plain))
    report.bar("objects allocated by #{Bench.count(ENTRIES)} hits with all three", objects, equal_to: 0)
    ["Store#[]=", "Store#set"].each do |name|
      report.bar("#{name} that evicts, times LruRedux::ThreadSafeCache#[]=",
                 writes.ratio(name, "LruRedux::ThreadSafeCache#[]="), at_most: 1.5)
    end
  end
end
