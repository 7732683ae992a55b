# frozen_string_literal: true

# How many pages does a Rails app serve that needs all its settings, by the store that
# caches them? Two workers of Puma with four threads each, clients in processes of their
# own on the same machine, in rounds that each store has in turn.

require_relative "support"
require_relative "charts/ranking"
require_relative "../spec/support/servers"
require_relative "../spec/railtie/puma_site"

STORES = { "ccache" => ":ccache_store", "redis" => ":redis_cache_store", "memory" => ":memory_store" }.freeze
ROUNDS = Integer(ENV.fetch("ROUNDS", Bench.scaled("5", quick: "1")))
SECONDS = Bench.scaled(3, quick: 1)
CLIENTS = 8
PAGES_PER_CONNECTION = 100

# Seconds that each page took, of one client.
def visit(port, seconds)
  client = HttpClient.new(port)
  started = Bench.now
  times = []
  while Bench.now - started < seconds
    client.reconnect if (times.size % PAGES_PER_CONNECTION).zero?
    times << Bench.seconds { client.get("/page").status == 200 or abort "the page fails" }
  end
  times
end

# By all clients.
def visit_together(port, seconds)
  clients = Array.new(CLIENTS) do
    Thread.new { Bench.in_child { visit(port, seconds) } }
  end
  clients.flat_map(&:value)
end

# Ruby objects that all workers have allocated.
def allocated(site)
  site.about_workers.values.sum { |about| about["allocated"] }
end

Round = Struct.new(:rate, :p99, :objects)

def round(site)
  before = allocated(site)
  times = visit_together(site.port, SECONDS)
  objects = (allocated(site) - before).fdiv(times.size)
  Round.new(times.size.fdiv(SECONDS), times.sort[times.size * 99 / 100], objects)
end

def median(rounds, figure)
  Bench.median(rounds.map(&figure))
end

redis = Server.new
sites = STORES.keys.to_h { |name| [name, PumaSite.new(redis: redis.url, cache: name)] }
begin
  sites.each_value { |site| visit_together(site.port, 1) }
  measured = sites.keys.to_h { |name| [name, []] }
  random = Bench.random
  ROUNDS.times { sites.keys.shuffle(random: random).each { |name| measured[name] << round(sites[name]) } }
ensure
  sites.each_value(&:stop)
  redis.stop
end

Bench::Report.open("How many pages does a Rails app serve that needs all its settings?",
                   "2,000 settings, some 600 KB encoded; Puma, 2 workers of 4 threads, preloaded, production; " \
                   "#{CLIENTS} clients on the same machine",
                   "medians of #{ROUNDS} rounds of #{SECONDS} s, in turn; :memory_store shows stale pages") do |report|
  rows = STORES.map do |name, label|
    rounds = measured.fetch(name)
    [label, Bench.count(median(rounds, :rate)), format("%.1f", median(rounds, :p99) * 1000),
     Bench.count(median(rounds, :objects))]
  end
  report.table(["config.cache_store", "requests per second", "p99 in ms", "objects per request"], *rows)
  report.bars do
    rates = STORES.keys.to_h { |name| [name, median(measured.fetch(name), :rate)] }
    report.bar("requests per second, times those of :redis_cache_store", rates["ccache"] / rates["redis"], at_least: 3)
    report.figure("requests per second, times those of :memory_store", rates["ccache"] / rates["memory"])
  end
  about = "2,000 settings; Puma, 2 workers of 4 threads; #{CLIENTS} clients; medians of #{ROUNDS} times #{SECONDS} s"
  rates = STORES.to_h { |name, label| [label, median(measured.fetch(name), :rate)] }
  report.chart("rails_app.svg", "Requests per second of a Rails app by its cache store",
               Bench::Charts::Ranking.new(title: "Pages of a Rails app that needs all its settings", about: [about],
                                          rows: rates, ours: [":ccache_store"], across: "requests per second"))
end
