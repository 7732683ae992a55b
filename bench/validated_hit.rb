# frozen_string_literal: true

# How long does a read take that the server validates, beside one that transfers and
# decodes what did not change? Of a list of records, by their number.
#
# With `--chart` it also writes docs/validated_hit.svg.

require "random/formatter"
require "zlib"
require_relative "server"
require_relative "chart"

RECORDS = [16, 64, 256, 1024, 4096, 8192].freeze
OF_THE_BARS = 1024
ROUNDS = 51
CHART = File.expand_path("../docs/validated_hit.svg", __dir__)
NAMES = { peer: "GET, inflate and load", hit: "Ccache::Store#get", floor: "the floor: the exchange in C" }.freeze
BARS = { "wall time" => [:first, 60], "processor time" => [:last, 300] }.freeze
Record = Struct.new(:id, :one, :other)

def records(number)
  random = Bench.random
  Array.new(number) { |i| Record.new(i, random.uuid, random.uuid) }
end

# All three ask after the same list; the server holds it as the store and as the peer write it.
def measure(site, store, number)
  list = records(number)
  key = "records:#{number}"
  compressed = "compressed:#{number}"
  redis = site.redis
  store.set(key, list)
  redis.set(compressed, Zlib.deflate(Marshal.dump(list)))
  rounds = Bench::Rounds.new(ROUNDS)
  rounds.add(:hit) { store.get(key) }
  rounds.add(:peer) { Marshal.load(Zlib.inflate(redis.get(compressed))) } # rubocop:disable Security/MarshalLoad
  rounds.add_floor(:floor, site.floor(key))
  rounds.run
  abort "the store gave another object" unless store.get(key).equal?(list)
  rounds
end

def row(number, rounds)
  times = NAMES.keys.flat_map { |name| [rounds.wall(name), rounds.processor(name)] }
  ratios = %i[first last].map { |which| format("%.1f", rounds.ratio(:peer, :hit, which)) }
  ["#{Bench.count(number)} records", *times.map { |time| Bench.microseconds(time) }, *ratios]
end

# By label; what could not be measured has none.
def lines(measured, clock)
  lines = NAMES.to_h do |name, label|
    [label, measured.map { |number, rounds| [number, rounds.public_send(clock, name)] }]
  end
  lines.select { |_, points| points.all?(&:last) }
end

def write_chart(placements)
  panels = placements.flat_map do |placement, measured|
    { wall: "Wall time", processor: "Client's processor time" }.map do |clock, title|
      Bench::Chart::Panel.new("#{title}, #{placement}", lines(measured, clock))
    end
  end
  about = ["Struct(id, uuid, uuid); a server on loopback, one connection; medians of #{ROUNDS} rounds",
           "Ruby #{RUBY_VERSION}, #{Bench.machine}"]
  Bench::Chart.new(title: "One read of a list of records that did not change", about: about, panels: panels,
                   across: "records in the list", up: "µs per read", scale: 1e6).write(CHART)
end

Bench::Report.open("How long does a read take that the server validates?", Bench::Site.about,
                   "lists of Struct(id, uuid, uuid), seed #{Bench::SEED}; one connection; the peer is GET, " \
                   "Zlib.inflate, Marshal.load",
                   "medians of #{ROUNDS} rounds, peers in turn for 10 ms each; µs on the wall, and of the " \
                   "client's processor time") do |report|
  placements = Bench::Site.at_each_placement do |site|
    store = site.store
    RECORDS.to_h { |number| [number, measure(site, store, number)] }
  end
  placements.each do |placement, measured|
    report.table([placement, "peer", "processor", "get", "processor", "floor", "processor", "peer to get", "processor"],
                 *measured.map { |number, rounds| row(number, rounds) })
  end
  write_chart(placements) if ARGV.include?("--chart")
  placements.each do |placement, measured|
    rounds = measured.fetch(OF_THE_BARS)
    report.bars("#{Bench.count(OF_THE_BARS)} records, #{placement}") do
      BARS.each do |what, (which, wanted)|
        report.bar("#{what} of the peer to that of get", rounds.ratio(:peer, :hit, which),
                   at_least: wanted, note: Bench.allowed(rounds.ratio(:peer, :floor, which)))
      end
    end
  end
end
