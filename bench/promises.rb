# frozen_string_literal: true

require_relative "support/bar"

module Bench
  # A figure that users may count on: a bar by the name that it has on the page of the benches,
  # with a goal that may be another one than the bar's. docs/figures.md lists all of them.
  Promise = Struct.new(:bench, :what, :goal) do
    # @param figure [Numeric, nil]
    # @return [Bar]
    def held_against(figure)
      relation, wanted = goal.match(/\A(\D+) (.+)\z/).captures
      Bar.new(what: what, figure: figure, relation: relation, wanted: wanted.delete(",").to_f)
    end

    # @param measured [String]
    # @return [String] the promise's row in a table
    def row(measured)
      "#{cells} #{measured} |"
    end

    # @param page [String]
    # @return [String, nil] what was measured, as the page says
    def measured_on(page)
      page[/^#{Regexp.escape(cells)} (-?[\d.,]+) \|$/, 1]
    end

    private

    # All of its row but for what was measured.
    def cells
      "| `rake bench:#{bench}` | #{what} | #{goal} |"
    end
  end

  PROMISES =
    [
      ["read_hit", "Store#get, times Hash#[]", "at most 2"],
      ["read_hit", "LruRedux::ThreadSafeCache#[], times Store#get", "at least 3"],
      ["read_hit", "MemoryStore#read, times Store#get", "at least 50"],
      ["read_hit", "objects allocated by 10,000 hits of Store#get", "equal to 0"],
      ["minor_gc", "pause with a Hash, times pause with a Store", "at least 20"],
      ["memory", "max_entries: growth of the process per entry", "at most 200"],
      ["bounded", "Store#get, max_entries, max_bytes and expires_in, times no bound", "at most 1.15"],
      ["bounded", "Store#set that evicts, times LruRedux::ThreadSafeCache#[]=", "at most 1.5"],
      ["churn", "Store: most memory after the first million, times that after it", "at most 1.05"],
      ["churn", "Store: ms that a write takes at p99.99", "less than 5"],
      ["simulate", "Generated workloads: points by which the mean is ahead of the best peer's", "at least 1"],
      ["validated_hit",
       "1,024 records, client and server on two CPUs: wall time of the peer to that of get",
       "at least 15"],
      ["validated_hit",
       "1,024 records, client and server on one CPU: wall time of the peer to that of get",
       "at least 60"],
      ["value_size", "client and server on two CPUs: the dearest size to the cheapest", "at most 1.1"],
      ["threads", "64 threads, one key: validations per read", "at most 0.1"],
      ["interrupt", "the longest of all, ms", "at most 100"],
      ["outage", "the server is down: fetches per second, to RedisCacheStore's", "at least 0.9"],
      ["outage", "the server is down: slowest fetch, in times of the longest block", "at most 1.5"],
      ["outage", "the block raises: fetches per second, to MemoryStore's", "at least 0.9"],
      ["rails", "1,024 records, client and server on two CPUs: in process, MemoryStore's time to it", "at least 300"],
      ["rails_app", "requests per second, times those of :redis_cache_store", "at least 3"]
    ].map { |promise| Promise.new(*promise) }.freeze
end
