# frozen_string_literal: true

# How many fetches of one key does an app get while what they need fails: the server of
# the cache, or the block itself?

require_relative "server"
abort "Active Support is not installed: run bin/setup" unless Bench.memory_store?
require "active_support/cache/redis_cache_store"

THREADS = 16
BLOCK = 0.05
SECONDS = 3.0
# Each store in turn, so that all meet the same machine.
TURNS = 3
NAMES = { ccache: "CcacheStore", redis: "RedisCacheStore", memory: "MemoryStore" }.freeze
QUIET = ->(**) {}

# `block` is the longest time that a block took: a busy machine makes sleeps longer, too.
Outcome = Struct.new(:fetches, :slowest, :block) do
  def per_second
    fetches / SECONDS
  end

  def slowest_in_blocks
    slowest / block
  end
end

# Threads that fetch one key, each as soon as it has an answer.
def fetching(store, &block)
  stop_at = Bench.now + SECONDS
  blocks = Thread::Queue.new
  threads = Array.new(THREADS) do
    Thread.new do
      times = []
      times << Bench.seconds { fetch(store, blocks, &block) } while Bench.now < stop_at
      times
    end
  end
  times = threads.flat_map(&:value)
  Outcome.new(times.size, times.max, Array.new(blocks.size) { blocks.pop }.max)
end

def fetch(store, blocks)
  store.fetch("key") do
    blocks << Bench.seconds { sleep(BLOCK) }
    yield
  end
rescue IOError
  nil
end

# The median turn of each store.
def in_turns(stores, &block)
  turns = Array.new(TURNS) { stores.transform_values { |store| fetching(store, &block) } }
  stores.keys.to_h { |name| [name, turns.map { |turn| turn.fetch(name) }.sort_by(&:fetches)[TURNS / 2]] }
end

def with_server(site)
  { ccache: ActiveSupport::Cache.lookup_store(:ccache_store, redis: { url: site.url }, error_handler: QUIET),
    redis: ActiveSupport::Cache.lookup_store(:redis_cache_store, url: site.url, driver: :ruby, error_handler: QUIET) }
end

def in_process
  { ccache: ActiveSupport::Cache.lookup_store(:ccache_store), memory: ActiveSupport::Cache.lookup_store(:memory_store) }
end

def while_down
  Bench::Site.open do |site|
    stores = with_server(site)
    stores.each_value { |store| store.read("key") }
    site.down { in_turns(stores) { "value" } }
  end
end

def while_failing
  in_turns(in_process) { raise IOError }
end

def rows(outcomes)
  outcomes.map do |name, outcome|
    [NAMES.fetch(name), Bench.count(outcome.per_second), format("%.2f", outcome.slowest_in_blocks)]
  end
end

Bench::Report.open("How many fetches of one key are there while the server is down, or the block raises?",
                   "Active Support #{ActiveSupport.version}", Bench::Site.about,
                   "#{THREADS} threads, one key, a block of #{(BLOCK * 1000).round} ms; the median of #{TURNS} turns " \
                   "of #{SECONDS.round} s, stores in turn") do |report|
  down = while_down
  failing = while_failing
  heading = ["fetches per second", "slowest, in times of the longest block"]
  report.table(["the server is down", *heading], *rows(down))
  report.table(["the block raises", *heading], *rows(failing))
  report.bars("the server is down") do
    report.bar("fetches per second, to RedisCacheStore's", down[:ccache].per_second / down[:redis].per_second,
               at_least: 0.9)
    report.bar("slowest fetch, in times of the longest block", down[:ccache].slowest_in_blocks, at_most: 1.5)
  end
  report.bars("the block raises") do
    report.bar("fetches per second, to MemoryStore's", failing[:ccache].per_second / failing[:memory].per_second,
               at_least: 0.9)
  end
end
