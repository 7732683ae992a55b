# frozen_string_literal: true

require "timeout"
require_relative "record"
require_relative "step"
require_relative "values"

module Consistency
  # One thread's operations, at random, each logged before and after.
  class Actor
    # How often each is done, in percent. A `cas` needs an entry that was read before.
    MIX = { get: 35, set: 20, delete: 8, fetch: 17, cas: 15, cas_absent: 5 }.freeze
    BAG = MIX.flat_map { |name, percent| [name] * percent }.freeze
    # Of those that only read, which take a little time: what they read from memory is
    # to grow old, and their own writes would renew it.
    READER_BAG = %i[get get get entry].freeze
    READER_PAUSE = 0.0003
    # After an error, so that a server that is away is not asked all the time.
    PAUSE = 0.01

    def initialize(store, settings, number, budget)
      @store = store
      @settings = settings
      @budget = budget
      @only_reads = settings[:number] > settings[:writers]
      @random = Random.new((settings[:seed] * 1_000_000) + number)
      @values = Values.new(padding: settings[:padding], contents: settings[:contents], first: number << 24)
      @log = File.open(File.join(settings[:directory], "#{number}.log"), "a")
      @log.sync = true
    end

    def run
      act until @budget.empty?
    ensure
      @log.close
    end

    private

    def act
      @budget.pop(true)
      key = @random.rand(@settings[:keys])
      case name = (@only_reads ? READER_BAG : BAG).sample(random: @random)
      when :cas then compare_and_set(key)
      when :cas_absent then write_if(key, Step::ABSENT, nil)
      else send(name, key)
      end
      sleep READER_PAUSE if @only_reads
    rescue ThreadError # the budget was spent meanwhile
      nil
    end

    def get(key)
      perform(:get, key) { read_result(@store.get(key.to_s)) }
    end

    def set(key)
      number, value = @values.next(@random)
      perform(:set, key, number) do
        @store.set(key.to_s, value)
        :done
      end
    end

    def delete(key)
      perform(:delete, key) { [:done, @store.delete(key.to_s) ? 1 : 0] }
    end

    def fetch(key)
      number, value = @values.next(@random)
      has_loaded = Thread.current[:write_failed] = false
      perform(:fetch, key, number, otherwise: -> { has_loaded ? :unknown : :failed }) do
        found = @store.fetch(key.to_s, lock: [nil, @settings[:lock]].sample(random: @random)) do
          has_loaded = true
          sleep @random.rand(0.003) if @random.rand(2).zero?
          value
        end
        next read_result(found) unless has_loaded

        raise "a fetch gave another value than it loaded" unless found == value

        Thread.current[:write_failed] ? :unstored : :loaded
      end
    end

    def entry(key)
      entry = nil
      perform(:entry, key) { read_result((entry = @store.entry(key.to_s))&.value) }
      entry
    end

    def compare_and_set(key)
      found = entry(key)
      write_if(key, @values.number(found.value), found.etag) if found
    end

    def write_if(key, expected, etag)
      number, value = @values.next(@random)
      perform(:cas, key, number, expected) do
        @store.set(key.to_s, value, if_match: etag)
        :done
      rescue Ccache::PreconditionFailed
        :refused
      end
    end

    def read_result(value)
      [:read, @values.number(value)]
    end

    # Logs the call, runs the block, and logs the outcome that it gives, with a result
    # perhaps. A kill or a timeout comes while the block runs, or waits until all is logged.
    def perform(name, key, value = 0, expected = 0, otherwise: -> { :unknown }, &block)
      outcome = result = nil
      Thread.handle_interrupt(Object => :never) do
        @log.syswrite(Record.call_line(name, key, value, expected))
        begin
          outcome, result = Thread.handle_interrupt(Object => :immediate) { in_time(&block) }
        ensure
          time = Record.now
          @log.syswrite(Record.return_line(outcome || otherwise.call, result || 0, time))
        end
      end
    rescue Ccache::ConnectionError, Ccache::TimeoutError, Ccache::ServerError
      @budget << nil # so that as many are answered however long the server is away
      sleep PAUSE
    rescue Timeout::Error
      nil
    end

    def in_time(&block)
      return yield unless @settings[:interrupts] && @random.rand(4).zero?

      Timeout.timeout(@random.rand(0.0001..0.003), &block)
    end
  end
end
