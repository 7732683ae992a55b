# frozen_string_literal: true

# All operations on two stores, one of them with a server, by several threads, amid forks,
# compaction, restarts and expiry, for SOAK_MINUTES (30 by default). Each minute everybody
# stops, both stores have to be sound, and memory is measured. Fails if it drifts by more
# than 1 % after the warm-up, the first third; in less than 6 minutes nothing is said of that.
# SOAK_MINUTES may be a fraction: 0.2 shows that all of it works.

require "etc"
require "ccache"
require_relative "../support/servers"
require_relative "actor"
require_relative "disturber"
require_relative "memory"

module Soak
  # The whole run.
  class Run
    MOST_DRIFT = 1.0
    # Fewer samples say nothing.
    LEAST_FOR_DRIFT = 6
    WARM_UP = 1 / 3r
    MINUTE = 60
    THREADS = 3
    # Of the store in this process and of the one with a server, which is as much slower.
    KEYS = [80_000, 2000].freeze
    # Half of the keys, so that the bounds evict.
    BOUNDS = KEYS.map { |keys| keys / 2 }.freeze
    # What {#fill} stores weighs less than that, what the actors store more.
    MOST_BYTES = BOUNDS.first * 450
    WEIGHER = ->(_key, value) { value.is_a?(Array) ? (100 * value.size) + value[1].size : 8 }
    MEBIBYTE = 2.0**20
    WIDTHS = [6, 7, 10, 12, 14, 13, 10, 15].freeze
    TIMEOUTS = { connect_timeout: 0.5, read_timeout: 0.5, write_timeout: 0.5 }.freeze

    def initialize(minutes, seed)
      @minutes = minutes
      @seed = seed
      @server = Server.new("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
      @evicted = Hash.new(0)
      evicted = ->(_key, _value, cause) { @evicted[cause] += 1 }
      @stores = [Ccache::Store.new(max_entries: BOUNDS[0], max_bytes: MOST_BYTES, weigher: WEIGHER, idle_for: 45,
                                   on_evict: evicted),
                 Ccache::Store.new(max_entries: BOUNDS[1], namespace: "soak", compress_from: 200,
                                   signing_keys: ["s" * 32], redis: { url: @server.url, **TIMEOUTS })]
      @disturber = Disturber.new(@stores, BOUNDS, @server)
      @memory = Memory.new
      @failures = Hash.new(0)
      @steps = [0, 0]
    end

    # @return [Boolean] whether memory stayed where it was
    def run
      print_heading
      began = now
      (1..@minutes.ceil).each do |minute|
        work(until_second: began + ([minute, @minutes].min * MINUTE), minute: minute)
        @stores.each { |store| check(store) }
        fill
        bytes = Memory.resident
        @memory.add(now - began, bytes)
        print_minute(minute, bytes)
      end
      conclude
    ensure
      @server.stop
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # Every other minute each collection compacts.
    def work(until_second:, minute:)
      GC.auto_compact = minute.even? if GC.respond_to?(:auto_compact=)
      failed = false
      stop = -> { failed || now >= until_second }
      actors = @stores.each_index.flat_map { |store| Array.new(THREADS) { |thread| actor(store, thread, minute) } }
      threads = [*actors.map(&:last), @disturber].map do |worker|
        Thread.new do
          worker.run(&stop)
        rescue Exception # rubocop:disable Lint/RescueException -- raised again by `join`
          failed = true
          raise
        end
      end
      threads.each(&:join)
      actors.each { |store, actor| add(store, actor) }
    end

    def actor(store, thread, minute)
      seed = (@seed * 1_000_000) + (minute * 100) + (store * 10) + thread
      [store, Actor.new(@stores[store], seed, keys: KEYS[store], server: store == 1)]
    end

    def add(store, actor)
      @steps[store] += actor.steps
      @failures.merge!(actor.failures) { |_, before, more| before + more }
    end

    # Nobody is at work but the thread that expires. (A walk that was left keeps its
    # entries until it is collected.)
    def check(store)
      deadline = now + MINUTE
      loop do
        GC.start
        sleep 0.3
        Ccache::Testing.validate(store)
        entries = Ccache::Testing.pinned_entries(store)
        pins = store.pin_list.size
        break if entries == pins
        raise "#{pins} pins for #{entries} entries with objects" if now > deadline
      end
    end

    # With the same entries each time, in tables that begin small (else they are as large as
    # they ever had to be): what is measured then differs by what should not be.
    def fill
      random = Random.new(@seed)
      @stores.each(&:clear)
      [1000, 1].each { |part| resize(part) }
      Memory.settle
      @stores.zip(BOUNDS) do |store, bound|
        bound.times { |number| store[key = "key #{number}"] = [key, "x" * random.rand(400)] }
      end
    end

    def resize(part)
      @stores.zip(BOUNDS) { |store, bound| store.resize(max_entries: bound / part) }
    end

    def print_heading
      $stdout.sync = true
      puts "#{RUBY_DESCRIPTION}, ccache #{Ccache::VERSION}, #{@server.command("INFO", "server")[/redis_version\S+/]}",
           "#{processor}, #{Etc.nprocessors} CPUs, #{Etc.uname.values_at(:sysname, :release, :machine).join(" ")}",
           "#{shown(@minutes)} minutes, seed #{@seed}, #{THREADS} threads for each store, " \
           "at most #{BOUNDS.join(" and ")} entries"
      puts "",
           row("minute", "RSS MiB", "malloc MiB", "Ruby objects", "entries (both)", "pins (both)", "operations",
               "at the server's")
    end

    def print_minute(minute, bytes)
      puts row(minute, *[bytes, Ccache::Testing.malloc_bytes].map { |size| (size / MEBIBYTE).round(2) },
               GC.stat(:heap_live_slots), @stores.map(&:size).join(" "),
               @stores.map { |store| store.pin_list.size }.join(" "), @steps.sum, @steps.last)
    end

    def row(*cells)
      cells.zip(WIDTHS).map { |cell, width| cell.to_s.rjust(width) }.join("  ")
    end

    def conclude
      puts "", "what went on beside: #{counted(@disturber.counts)}", "errors that were expected: #{counted(@failures)}",
           "told to on_evict: #{counted(@evicted)}"
      puts(*%w[process server].zip(@stores).map { |name, store| "#{name}: #{counted(store.stats)}" })
      judge_memory
    end

    def judge_memory
      if @minutes < LEAST_FOR_DRIFT
        puts "drift of RSS: not judged in less than #{LEAST_FOR_DRIFT} minutes"
        return true
      end
      warm_up = @minutes * MINUTE * WARM_UP
      drift = @memory.drift(from: warm_up)
      puts "drift of RSS after #{(warm_up / MINUTE).round} minutes: #{drift.round(2)} % (at most #{MOST_DRIFT})"
      drift <= MOST_DRIFT
    end

    def shown(number)
      format("%g", number)
    end

    def counted(counts)
      counts.map { |name, count| "#{name} #{count}" }.join(", ")
    end

    def processor
      File.foreach("/proc/cpuinfo").grep(/\Amodel name/).first&.split(": ")&.last&.strip || "unknown processor"
    end
  end
end

minutes = Rational(ENV.fetch("SOAK_MINUTES", "30"))
abort "SOAK_MINUTES has to be more than 0, and is #{ENV.fetch("SOAK_MINUTES")}" unless minutes.positive?
seed = Integer(ENV.fetch("SOAK_SEED", "1"))
exit Soak::Run.new(minutes, seed).run
