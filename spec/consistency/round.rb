# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "checker"
require_relative "client"
require_relative "history"

module Consistency
  # Some operations of some processes on fresh keys, under a fault; and the verdict.
  class Round
    PROCESSES = 4
    THREADS = 4
    KEYS = 8
    # Between two barriers, in seconds.
    BARRIER_PAUSE = 0.05
    # How many processes in a row do one's work where they are killed.
    LIVES = 4
    # In a log, at least.
    BYTES_PER_OPERATION = 50

    Report = Struct.new(:operations, :answered, :reads, :writes, :ambiguous, :faults, :stats, :violations)

    attr_reader :server, :faults

    # @param number [Integer] of this round at this server; names the keys, and seeds the actors
    def initialize(server, fault, operations, number)
      @server = server
      @fault = fault
      @operations = operations
      @number = number
      @clients = []
      @numbers = Thread::Queue.new((1..(PROCESSES * LIVES)).to_a)
      @emptied = []
      @barriers = []
      @faults = 0
      @lock = Mutex.new
    end

    # @return [Report]
    def run
      @directory = Dir.mktmpdir("consistency")
      clients = Array.new(PROCESSES) { start_client(@operations / PROCESSES) }
      clients.each(&:go)
      stats = under_fault { finish(clients) }
      report(stats)
    ensure
      @clients.reject(&:over?).each(&:kill)
      FileUtils.rm_rf(@directory)
    end

    # For faults: something was done.
    def strike
      @lock.synchronize { @faults += 1 }
      yield
    end

    # For faults: the block makes the server lose everything.
    def empty(&block)
      call = Record.now
      strike(&block)
      @emptied << [call, Record.now]
    end

    private

    def start_client(operations)
      number = @numbers.pop
      directory = File.join(@directory, number.to_s)
      Dir.mkdir(directory)
      settings = { number: number, seed: (@number << 8) + number, directory: directory, operations: operations,
                   threads: THREADS, keys: KEYS, store: @fault.store_for(server, "round #{@number}"),
                   **@fault.worker }
      Client.new(settings).tap { |client| @clients << client }.tap(&:wait_until_ready)
    end

    def finish(clients)
      return clients.map(&:finish) unless @fault.kills_clients

      clients.map { |client| Thread.new { finish_in_lives(client) } }.map(&:value)
    end

    # Kills it again and again, and has another one go on.
    def finish_in_lives(client)
      share = @operations / PROCESSES / LIVES
      (LIVES - 1).times do
        sleep 0.002 until client.progress > share * BYTES_PER_OPERATION
        strike { client.kill }
        client = start_client(share)
        client.go
      end
      client.finish
    end

    # Runs the block while the fault strikes, and barriers are set.
    def under_fault
      is_over = false
      threads = [Thread.new { set_barrier until is_over }]
      threads << Thread.new { @fault.strike(self) until is_over } if @fault.strikes?
      yield
    ensure
      is_over = true
      server.resume
      threads.each(&:join)
    end

    def set_barrier
      asked = Record.now
      3.times { server.command("PING") }
      @barriers << [asked, Record.now]
      sleep BARRIER_PAUSE
    rescue SystemCallError, IOError
      sleep 0.01 # the fault struck here
    end

    def report(stats)
      records = @clients.flat_map(&:records)
      steps = History.new(records, barriers: @barriers, emptied: @emptied, **@fault.history).steps
      violations = steps.filter_map { |key, of_key| (found = Checker.violation(of_key)) && "key #{key}: #{found}" }
      counts = %i[answered? reading?].map { |what| records.count(&what) }
      Report.new(records.size, *counts, records.count { |record| !record.reading? }, records.count(&:ambiguous?),
                 @faults, sum(stats), violations)
    end

    def sum(stats)
      stats.reduce { |all, one| all.merge(one) { |_, left, right| left + right } }
    end
  end
end
