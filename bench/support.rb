# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))

require "etc"
require "ccache"
require_relative "../spec/support/resident_memory"
require_relative "support/quick"
require_relative "support/report"
require_relative "support/timing"

# What the benches share: clocks, peers, children with a heap of their own, and what
# a GC costs. Each bench asks one question and answers it through a {Bench::Report}.
module Bench
  SEED = 42

  class << self
    def random
      Random.new(SEED)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def seconds
      started = now
      yield
      now - started
    end

    # Time of this thread on a processor: what else runs on the machine, which
    # interrupts the slow more often than the fast, does not count.
    def processor_time
      Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
    end

    def processor_milliseconds
      started = processor_time
      yield
      (processor_time - started) * 1000
    end

    def median(numbers)
      sorted = numbers.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end

    # 1234567.0 as "1,234,567"
    def count(number)
      number.round.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",")
    end

    # Whether a peer can be measured; benches go on without those that are not installed.
    def available?(feature)
      require feature
      true
    rescue LoadError
      false
    end

    # Without the logger Active Support before 7.1 does not load beside a younger concurrent-ruby.
    def memory_store?
      available?("logger") && available?("active_support") && available?("active_support/cache")
    end

    # Without a bound, so that it never prunes what the others keep.
    def memory_store
      ActiveSupport::Cache::MemoryStore.new(size: 1 << 40)
    end

    # Runs the block in a child process, whose heap nothing else has touched.
    #
    # @return [Object] what the block returned, through Marshal
    def in_child
      reader, writer = IO.pipe(binmode: true)
      child = fork do
        reader.close
        writer.write(Marshal.dump(yield))
        writer.close
        exit!(true)
      rescue Exception => e # rubocop:disable Lint/RescueException -- must not run the parent's at_exit
        warn e.full_message
        exit!(false)
      end
      writer.close
      answer = reader.read
      Process.wait(child)
      abort "a child of the bench failed" unless Process.last_status.success?

      Marshal.load(answer) # rubocop:disable Security/MarshalLoad -- dumped by the child
    end

    # Makes everything that lives now old, and leaves no sweep to do.
    def settle
      5.times { GC.start }
    end

    # Pauses of minor GCs, each right after what the block does. They mark, and
    # begin the sweep, which goes on in steps as objects are allocated: a GC that
    # an allocation starts pauses for just that. The sweep of the GC before is
    # brought to its end first, untimed.
    #
    # @return [Array<Float>] milliseconds
    def minor_gc_pauses(rounds, immediate_sweep: false)
      Array.new(rounds) do |round|
        GC.start(full_mark: false)
        yield round
        processor_milliseconds { GC.start(full_mark: false, immediate_sweep: immediate_sweep) }
      end
    end

    # Objects that reading all the keys allocates, less what the measuring itself does.
    # The first time is not counted: it fills inline caches.
    def allocated_by(keys, &read)
      counted(keys, read) - counted(keys, ->(key) { key })
    end

    private

    def counted(keys, read)
      Array.new(2) do
        before = GC.stat(:total_allocated_objects)
        keys.each(&read)
        GC.stat(:total_allocated_objects) - before
      end.last
    end
  end
end
