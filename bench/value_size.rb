# frozen_string_literal: true

# Does a validated read cost the same however large the value is, and no more than the
# redis gem's own GETRANGE of as little?

require_relative "server"

SIZES = { "1 KiB" => 1, "16 KiB" => 16, "256 KiB" => 256, "1 MiB" => 1024, "4 MiB" => 4096, "16 MiB" => 16_384 }.freeze
SMALLEST = SIZES.keys.first
ROUNDS = Bench.scaled(101, quick: 3)
BENCHMARK_EVERY = 10

def add_variants(rounds, site)
  random = Bench.random
  store = site.store
  redis = site.redis
  SIZES.each do |size, kibibytes|
    store.set(size, random.bytes(kibibytes * 1024))
    at_server = site.server_key(size)
    rounds.add([:get, size]) { store.get(size) }
    rounds.add([:getrange, size]) { redis.getrange(at_server, 0, 19) }
  end
  rounds.add_floor(:floor, site.floor(SMALLEST))
end

# @return [Array(Bench::Rounds, Float)] and the seconds that redis-benchmark takes
def measure(site)
  rounds = Bench::Rounds.new(ROUNDS)
  add_variants(rounds, site)
  by_benchmark = []
  rounds.run do |round|
    by_benchmark << site.benchmark(SMALLEST, requests: 2000) if (round % BENCHMARK_EVERY).zero?
  end
  [rounds, Bench.median(by_benchmark)]
end

def row(size, rounds)
  times = %i[get getrange].flat_map { |name| [rounds.wall([name, size]), rounds.processor([name, size])] }
  [size, *times.map { |time| Bench.microseconds(time) },
   format("%.2f", rounds.ratio([:get, size], [:getrange, size]))]
end

Bench::Report.open("Does a validated read cost the same however large the value is?", Bench::Site.about,
                   "random Strings, seed #{Bench::SEED}; the peer is the redis gem's getrange(key, 0, 19)",
                   "medians of #{ROUNDS} rounds, all sizes and peers in turn for 10 ms each; between them " \
                   "redis-benchmark -c 1, #{(ROUNDS / BENCHMARK_EVERY) + 1} times") do |report|
  Bench::Site.at_each_placement { |site| measure(site) }.each do |placement, (rounds, of_benchmark)|
    report.table([placement, "µs per get", "processor", "µs per getrange", "processor", "get to getrange"],
                 *SIZES.keys.map { |size| row(size, rounds) },
                 ["floor: redis-benchmark -c 1, getrange", Bench.microseconds(of_benchmark)],
                 ["floor: the exchange in C", Bench.microseconds(rounds.wall(:floor)),
                  Bench.microseconds(rounds.processor(:floor))])
    report.bars(placement) do
      costs = SIZES.keys.map { |size| rounds.ratio([:get, size], [:get, SMALLEST]) }
      report.bar("the dearest size to the cheapest", costs.max / costs.min, at_most: 1.1)
      report.bar("get to the redis gem's getrange, the worst size",
                 SIZES.keys.map { |size| rounds.ratio([:get, size], [:getrange, size]) }.max,
                 at_most: 1.0, note: Bench.allowed(rounds.ratio(:floor, [:getrange, SMALLEST])))
      report.figure("get to redis-benchmark -c 1", rounds.wall([:get, SMALLEST]) / of_benchmark)
    end
  end
end
