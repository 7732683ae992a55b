# frozen_string_literal: true

# A client process of the consistency specs: its threads do random operations on a
# few keys, and log them. Settings come on the standard input, as Marshal writes them;
# the first line after them is the start.

require "ccache"
require_relative "actor"

module Consistency
  # The threads of a process, and who kills them.
  class Worker
    def initialize(settings)
      @settings = settings
      @store = Ccache::Store.new(**settings[:store], on_event: method(:note))
      @budget = Thread::Queue.new([nil] * settings[:operations])
      @started = 0
      3.times { @store.get("warm up") }
    end

    def run
      threads = Array.new(@settings[:threads]) { start }
      @settings[:interrupts] ? kill_some(threads) : threads.each(&:join)
      @store.stats
    end

    private

    def start
      number = (@settings[:number] << 12) + (@started += 1)
      Thread.new { Actor.new(@store, @settings, number, @budget).run }
    end

    def kill_some(threads)
      random = Random.new(@settings[:seed])
      until @budget.empty?
        sleep random.rand(0.002..0.02)
        victim = random.rand(threads.size)
        threads[victim].kill.join
        threads[victim] = start
      end
      threads.each(&:join)
    end

    def note(name, _payload)
      Thread.current[:write_failed] = true if name == :write_failed
    end
  end
end

Thread.report_on_exception = true
Thread.abort_on_exception = true
$stdout.sync = true
worker = Consistency::Worker.new(Marshal.load($stdin))
puts "ready"
$stdin.gets
puts worker.run.map { |name, count| "#{name}=#{count}" }.join(" ")
