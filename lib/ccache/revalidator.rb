# frozen_string_literal: true

module Ccache
  # Validates behind the callers' backs what `stale_while_revalidate:` let them
  # have: one thread per Ractor and process, started with the first job, one job
  # per key at a time.
  #
  # @api private
  class Revalidator
    # The revalidator of the running Ractor.
    def self.current
      Ractor.current[:ccache_revalidator] ||= new
    end

    def initialize
      @lock = Thread::Mutex.new
      @jobs = Thread::Queue.new
      @asked = {}
      @thread = nil
    end

    # Runs the block later, unless the same was asked before and is still to come. If that
    # cannot be (there is no thread to be had, or the caller is interrupted), the next one
    # asks again.
    def ask(store, key, &job)
      name = [store, key.b]
      Thread.handle_interrupt(Interrupts::HELD_BACK) do
        @lock.synchronize { add(name, job) }
      end
    rescue ThreadError
      nil
    end

    private

    # The key is marked once its job is certain.
    def add(name, job)
      forget_parents
      return if @asked[name]

      @thread ||= start
      @jobs << [name, job]
      @asked[name] = true
    end

    # After a fork the thread is not here.
    def forget_parents
      return if @thread.nil? || @thread.alive?

      @thread = nil
      @asked.clear
      @jobs.clear
    end

    def start
      # A thread inherits what its maker holds back, and could not be ended at exit.
      thread = Thread.new { Thread.handle_interrupt(Interrupts::TAKEN) { loop { run(*@jobs.pop) } } }
      thread.name = "ccache-revalidator"
      thread
    end

    # The job's failure is the next reader's to see.
    def run(name, job)
      job.call
    rescue Exception # rubocop:disable Lint/RescueException -- `exit` in an `on_event:` must not stop the others
      nil
    ensure
      Thread.handle_interrupt(Interrupts::HELD_BACK) { @lock.synchronize { @asked.delete(name) } }
    end

    current # the main Ractor's, before there are threads
  end
end
