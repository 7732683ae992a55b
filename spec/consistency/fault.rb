# frozen_string_literal: true

module Consistency
  # What goes wrong during a round, and with what settings.
  class Fault
    # Bytes added to each value; how many different values there are, if not all are;
    # whether threads are killed; how many processes write; and the `lock:` of every
    # other fetch.
    DEFAULTS = { padding: 0, contents: nil, interrupts: false, writers: Float::INFINITY, lock: 0.5 }.freeze

    # For the server's start; for History; for the worker.
    attr_reader :name, :server_options, :history, :worker, :kills_clients

    # @param name [String]
    # @param server_options [Array<String>]
    # @param store [Hash] options of the stores
    # @param redis [Hash] of their connections
    # @param history [Hash] options of History
    # @param worker [Hash] what the workers do otherwise; see DEFAULTS
    # @param kills_clients [Boolean] whether the workers are killed, each several times
    # @yieldparam round [Round] strikes once, and takes its time for that
    def initialize(name, server_options: [], store: {}, redis: {}, history: {}, worker: {}, kills_clients: false,
                   &strike)
      @name = name
      @server_options = server_options
      @store = store
      @redis = redis
      @history = history
      @worker = { **DEFAULTS, **worker }
      @kills_clients = kills_clients
      @strike = strike
    end

    def store_for(server, namespace)
      { redis: { url: server.url, **@redis }, namespace: namespace, **@store }
    end

    def strikes?
      !@strike.nil?
    end

    def strike(round)
      @strike.call(round)
    end

    # So that a server that is away costs little time.
    IMPATIENT = { connect_timeout: 0.2, read_timeout: 0.2, write_timeout: 0.2 }.freeze

    # Seconds: shorter and longer than that.
    PAUSES = [0.15, 0.5, 0.3, 0.05].freeze

    ALL = [
      new("nothing goes wrong"),
      new("processes write the same few contents within the same second",
          worker: { contents: 3 }, history: { unique: false }),
      new("client processes are killed", kills_clients: true),
      new("connections are cut", redis: IMPATIENT) do |round|
        sleep 0.02
        round.strike { round.server.command("CLIENT", "KILL", "TYPE", "normal") }
      end,
      new("the server is paused", redis: IMPATIENT) do |round|
        sleep 0.1
        round.strike do
          round.server.pause
          sleep PAUSES[round.faults % PAUSES.size]
          round.server.resume
        end
      end,
      new("the server is restarted empty", redis: IMPATIENT) do |round|
        sleep 0.2
        round.empty { round.server.restart }
      end,
      new("the server is emptied") do |round|
        sleep 0.02
        round.empty { round.server.command("FLUSHALL") }
      end,
      new("the server evicts",
          server_options: %w[--maxmemory 3mb --maxmemory-policy allkeys-random],
          history: { evicts: true }, worker: { padding: 5000 }, store: { compress: :none }) do |round|
        round.strike { 5.times { round.server.command("SET", "filler #{rand(100)}", "." * 50_000) } }
        sleep 0.005
      end,
      new("memory holds half of the keys", store: { max_entries: 4 }),
      new("threads are killed, or run out of time", worker: { interrupts: true }),
      new("reads may be 50 ms late", store: { max_age: 0.05 }, history: { max_age: 50_000_000 }, worker: { writers: 1 })
    ].freeze
  end
end
