# frozen_string_literal: true

# How long does Rails.cache.read take, beside Rails' own stores, and what does it allocate?

require "random/formatter"
require_relative "server"
abort "Active Support is not installed: run bin/setup" unless Bench.memory_store?
require "active_support/core_ext/numeric/time"
require "active_support/cache/redis_cache_store"

RECORDS = 1024
ROUNDS = Bench.scaled(51, quick: 3)
NAMES = { ccache: "CcacheStore", expiring: "CcacheStore, expires_in", validated: "CcacheStore, with a server",
          memory: "MemoryStore", redis: "RedisCacheStore" }.freeze
VALUES = { list: "#{Bench.count(RECORDS)} records", text: "a small String" }.freeze
Record = Struct.new(:id, :one, :other)

def values
  random = Bench.random
  { list: Array.new(RECORDS) { |i| Record.new(i, random.uuid, random.uuid) }, text: "text" }
end

# As an app has them: each with a namespace.
def stores(site)
  options = { namespace: Bench::NAMESPACE }
  { ccache: ActiveSupport::Cache.lookup_store(:ccache_store, options),
    expiring: ActiveSupport::Cache.lookup_store(:ccache_store, expires_in: 1.hour, **options),
    validated: ActiveSupport::Cache.lookup_store(:ccache_store, redis: { url: site.url, **Bench::PATIENCE }, **options),
    memory: ActiveSupport::Cache.lookup_store(:memory_store, size: 1 << 40, **options),
    redis: ActiveSupport::Cache.lookup_store(:redis_cache_store, url: site.url, driver: :ruby, namespace: "peer",
                                                                 **Bench::PATIENCE) }
end

def measure(site, key)
  value = values.fetch(key)
  rounds = Bench::Rounds.new(ROUNDS)
  stores(site).each do |name, store|
    store.write(key.name, value)
    abort "#{name} does not give back what it was given" unless store.read(key.name) == value
    rounds.add([name, :read]) { store.read(key.name) }
    rounds.add([name, :fetch]) { store.fetch(key.name) { abort "a miss" } }
  end
  rounds.add_floor(:floor, site.floor(key.name))
  rounds.run
end

def row(name, rounds)
  times = %i[read fetch].flat_map { |what| [rounds.wall([name, what]), rounds.processor([name, what])] }
  [NAMES.fetch(name), *times.map { |time| Bench.microseconds(time) }]
end

# @return [Hash{Symbol => Array(Float, Float)}] objects per hit, of read and of fetch
def allocated(site)
  keys = Array.new(1000, "text")
  stores(site).transform_values do |store|
    store.write("text", "text")
    [Bench.allocated_by(keys) { |key| store.read(key) },
     Bench.allocated_by(keys) { |key| store.fetch(key) { abort "a miss" } }].map { |count| count / 1000.0 }
  end
end

def list_bars(report, rounds)
  at = ->(peer, which, what = :first) { rounds.ratio([peer, :read], [which, :read], what) }
  report.bar("in process, MemoryStore's time to it", at[:memory, :ccache], at_least: 300)
  report.bar("in process, RedisCacheStore's time to it", at[:redis, :ccache], at_least: 500)
  allowed = Bench.allowed(rounds.ratio(%i[redis read], :floor))
  report.bar("with a server, RedisCacheStore's time to it", at[:redis, :validated], at_least: 30, note: allowed)
  report.bar("with a server, RedisCacheStore's processor time to it", at[:redis, :validated, :last], at_least: 30)
end

Bench::Report.open("How long does Rails.cache.read take?", "Active Support #{ActiveSupport.version}",
                   Bench::Site.about,
                   "a list of Struct(id, uuid, uuid), seed #{Bench::SEED}, and a small String; nobody listens",
                   "medians of #{ROUNDS} rounds, stores in turn for 10 ms each; µs on the wall, and of the " \
                   "process' processor time") do |report|
  Bench::Site.at_each_placement { |site| VALUES.keys.to_h { |key| [key, measure(site, key)] } }
             .each do |placement, measured|
    measured.each do |key, rounds|
      report.table(["#{VALUES.fetch(key)}, #{placement}", "read", "processor", "fetch", "processor"],
                   *NAMES.keys.map { |name| row(name, rounds) })
    end
    report.bars("#{VALUES.fetch(:list)}, #{placement}") { list_bars(report, measured.fetch(:list)) }
    report.bars("#{VALUES.fetch(:text)}, #{placement}") do
      %i[ccache expiring].each do |name|
        report.bar("MemoryStore's time to that of #{NAMES.fetch(name)}",
                   measured.fetch(:text).ratio(%i[memory read], [name, :read]), at_least: 2)
      end
    end
  end
  counts = Bench::Site.open { |site| allocated(site) }
  report.table(["objects per hit", "read", "fetch"], *counts.map { |name, both| [NAMES.fetch(name), *both] })
  report.bars("objects per hit in process") do
    report.bar("read", counts.fetch(:ccache).first, equal_to: 0)
    report.bar("fetch", counts.fetch(:ccache).last, equal_to: 0)
  end
end
