# frozen_string_literal: true

# Threads that end, events that come, and how long that took.
module Waiting
  # Seconds, of a clock that nobody sets.
  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  def elapsed
    before = now
    yield
    now - before
  end

  # Polls until the block is true; the event is another thread's and has no other sign.
  def eventually(within: 50)
    deadline = now + within
    until yield
      raise "did not happen within #{within} s" if now > deadline

      sleep 0.005
    end
    true
  end

  # Joins all threads, and fails loudly instead of hanging.
  def join(*threads, within: 30)
    threads.flatten.map do |thread|
      raise "a thread still runs: #{thread.backtrace&.first(5)}" unless thread.join(within)

      thread.value
    end
  end

  # Until so many callers of the store wait for another one's load, or load beside one another;
  # or wait for another one's transfer from the server.
  def until_coalesced(store, count, transfers: false)
    flights = Ccache::Coalescer.current.instance_variable_get(:@flights)
    eventually do
      own = flights.select { |(owner, _, kind), _| owner.equal?(store) && transfers == (kind == :transfer) }
      own.values.flat_map(&:companions).count { |part| !part.over? } == count
    end
  end

  # Until the thread sleeps, in a wait of Ruby's.
  def until_asleep(thread)
    eventually { thread.stop? }
  end
end
