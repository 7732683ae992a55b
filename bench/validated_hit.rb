# frozen_string_literal: true

# How long does a read take that the server validates, beside one that transfers and
# decodes what did not change? Of a list of records, by their number.

require "random/formatter"
require "zlib"
require_relative "server"
require_relative "charts/lines"

RECORDS = [16, 64, 256, 1024, 4096, 8192].freeze
OF_THE_BARS = 1024
ROUNDS = Bench.scaled(51, quick: 3)
NAMES = { hit: "Ccache::Store#get", peer: "GET, inflate and load", floor: "the floor: the exchange in C" }.freeze
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

def microseconds(seconds)
  seconds && (seconds * 1e6)
end

# By label; what could not be measured has none.
def lines(measured, clock)
  lines = NAMES.to_h do |name, label|
    [label, measured.map { |number, rounds| [number, microseconds(rounds.public_send(clock, name))] }]
  end
  lines.select { |_, points| points.all?(&:last) }
end

def chart(placements)
  panels = placements.flat_map do |placement, measured|
    { wall: "Wall time", processor: "Client's processor time" }.map do |clock, title|
      Bench::Charts::Panel.new(title: "#{title}, #{placement}", lines: lines(measured, clock), up: "µs per read",
                               scale: Bench::Charts::LogAxis)
    end
  end
  about = "Struct(id, uuid, uuid); a server on loopback, one connection; medians of #{ROUNDS} rounds"
  Bench::Charts::Lines.new(title: "One read of a list of records that did not change", about: [about], panels: panels,
                           across: "records in the list")
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
    report.table(["µs, #{placement}", *["get", "peer", "floor", "peer to get"].flat_map { |what| [what, "processor"] }],
                 *measured.map { |number, rounds| row(number, rounds) })
  end
  report.chart("validated_hit.svg", "One read of a list of records: the peer grows with the list, the store does not",
               chart(placements))
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
