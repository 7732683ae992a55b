# frozen_string_literal: true

# Threads that end, and events that come.
module Waiting
  # Polls until the block is true; the event is another thread's and has no other sign.
  def eventually(within: 10)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + within
    until yield
      raise "did not happen within #{within} s" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

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

  # Until the thread sleeps, in a wait of Ruby's.
  def until_asleep(thread)
    eventually { thread.stop? }
  end
end
