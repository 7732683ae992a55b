# frozen_string_literal: true

# How many validated reads per second do many threads get from one store, and how
# many commands does the server see for them?

require_relative "server"

ROUNDS = Bench.scaled(15, quick: 1)
TURN = 0.2
DISTINCT = 16
TOGETHER = 64
NAMES = { store: "Store#get, #{DISTINCT} threads, distinct keys",
          redis: "redis gem, #{DISTINCT} threads, a connection each",
          together: "Store#get, #{TOGETHER} threads, one key" }.freeze

# What came of a turn: how many reads and validations; seconds on the wall and on
# the processor.
Turn = Struct.new(:reads, :validations, :wall, :processor) do
  def per_second
    reads / wall
  end

  def validations_per_read
    validations.fdiv(reads)
  end

  def processor_per_read
    processor / reads
  end
end

# Reads again and again, from the start on until the stop.
def reading_thread(reader, start, stop)
  Thread.new do
    count = 0
    start.pop
    until stop.first
      reader.call
      count += 1
    end
    count
  end
end

# @param readers [Array<Proc>] one read each, a thread each
def read_for_a_turn(site, readers)
  start = Queue.new
  stop = [false]
  threads = readers.map { |reader| reading_thread(reader, start, stop) }
  Thread.pass until start.num_waiting == threads.size
  before = site.validations
  wall, processor = Bench.timed do
    start.close
    sleep TURN
    stop[0] = true
  end
  Turn.new(threads.sum(&:value), site.validations - before, wall, processor)
end

# In every round each of the sets of readers has its turn; one before is not counted.
#
# @return [Hash{Object => Array<Turn>}]
def measure(site, sets)
  random = Bench.random
  turns = sets.transform_values { [] }
  (ROUNDS + 1).times do
    sets.keys.shuffle(random: random).each { |name| turns[name] << read_for_a_turn(site, sets[name]) }
  end
  turns.transform_values { |all| all.drop(1) }
end

def median(turns, what)
  Bench.median(turns.map(&what))
end

def row(name, turns)
  [name, Bench.count(median(turns, :per_second)), Bench.microseconds(median(turns, :processor_per_read)),
   format("%.3f", median(turns, :validations_per_read))]
end

def reader_of(redis, key)
  -> { redis.getrange(key, 0, 19) }
end

def sets(site)
  store = site.store
  keys = Array.new(DISTINCT) { |i| "key:#{i}" }
  random = Bench.random
  keys.each { |key| store.set(key, random.bytes(1024)) }
  { store: keys.map { |key| -> { store.get(key) } },
    redis: keys.map { |key| reader_of(site.redis, site.server_key(key)) },
    together: Array.new(TOGETHER) { -> { store.get(keys.first) } } }
end

# @return [Float] commands per second
def of_benchmark(site)
  1 / Bench.median(Array.new(5) { site.benchmark("key:0", requests: 20_000, clients: DISTINCT) })
end

Bench::Report.open("How many validated reads per second do threads get from one store?", Bench::Site.about,
                   "values of 1 KiB; the peer is the redis gem's getrange(key, 0, 19)",
                   "medians of #{ROUNDS} rounds, peers in turn for #{TURN} s each") do |report|
  turns, of_benchmark = Bench::Site.open { |site| [measure(site, sets(site)), of_benchmark(site)] }
  report.table([Bench::Placement::AS_IT_COMES, "reads per second", "µs of processor per read", "validations per read"],
               *NAMES.map { |name, label| row(label, turns[name]) },
               ["redis-benchmark -c #{DISTINCT}, no Ruby", Bench.count(of_benchmark), "", "1.000"])
  report.bars do
    ratios = turns[:store].zip(turns[:redis]).map { |ours, theirs| ours.per_second / theirs.per_second }
    possible = of_benchmark / median(turns[:redis], :per_second)
    report.bar("#{DISTINCT} threads: reads per second, times the redis gem's", Bench.median(ratios),
               at_least: 3.0, note: format("redis-benchmark -c #{DISTINCT} reaches %.2f", possible))
    report.bar("#{TOGETHER} threads, one key: validations per read", median(turns[:together], :validations_per_read),
               at_most: 0.1)
  end
end
