# frozen_string_literal: true

# How long do a hundred validated reads take at once, beside one?

require_relative "server"

KEYS = 100
ROUNDS = Bench.scaled(101, quick: 3)
BENCHMARK_EVERY = 10
NAMES = { get: "Store#get", get_multi: "Store#get_multi, #{KEYS} keys",
          pipelined: "redis gem, #{KEYS} getrange pipelined", floor_of_one: "the exchange in C",
          floor: "the exchange in C, #{KEYS} keys" }.freeze

def add_variants(rounds, site, keys)
  store = site.store
  redis = site.redis
  random = Bench.random
  keys.each { |key| store.set(key, random.bytes(1024)) }
  at_server = keys.map { |key| site.server_key(key) }
  rounds.add(:get) { store.get(keys.first) }
  rounds.add(:get_multi) { store.get_multi(*keys) }
  rounds.add(:pipelined) { redis.pipelined { |lane| at_server.each { |key| lane.getrange(key, 0, 19) } } }
  rounds.add_floor(:floor_of_one, site.floor(keys.first))
  rounds.add_floor(:floor, site.floor(*keys))
end

# @return [Array(Bench::Rounds, Float, Float)] and the seconds that redis-benchmark
#   takes for one key and for all
def measure(site)
  keys = Array.new(KEYS) { |i| "key:#{i}" }
  rounds = Bench::Rounds.new(ROUNDS)
  add_variants(rounds, site, keys)
  by_benchmark = []
  rounds.run do |round|
    next unless (round % BENCHMARK_EVERY).zero?

    by_benchmark << [site.benchmark(keys.first, requests: 2000),
                     site.benchmark(keys.first, requests: 2000 * KEYS, pipeline: KEYS) * KEYS]
  end
  [rounds, *by_benchmark.transpose.map { |times| Bench.median(times) }]
end

Bench::Report.open("How long do #{KEYS} validated reads take at once, beside one?", Bench::Site.about,
                   "values of 1 KiB; µs on the wall, and of the client's processor time",
                   "medians of #{ROUNDS} rounds, peers in turn for 10 ms each; between them redis-benchmark, " \
                   "#{(ROUNDS / BENCHMARK_EVERY) + 1} times") do |report|
  Bench::Site.at_each_placement { |site| measure(site) }.each do |placement, (rounds, one, many)|
    rows = NAMES.map do |name, label|
      [label, Bench.microseconds(rounds.wall(name)), Bench.microseconds(rounds.processor(name))]
    end
    report.table([placement, "µs", "processor"], *rows,
                 ["redis-benchmark -c 1", Bench.microseconds(one)],
                 ["redis-benchmark -c 1 -P #{KEYS}, per #{KEYS}", Bench.microseconds(many)])
    report.bars(placement) do
      report.bar("get_multi of #{KEYS} to one get", rounds.ratio(:get_multi, :get),
                 at_most: 2.0, note: Bench.allowed(rounds.ratio(:floor, :get)))
      report.figure("the same in C, to one in C", rounds.ratio(:floor, :floor_of_one))
    end
  end
end
