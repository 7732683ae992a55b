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

    # Runs the block later, unless the same was asked before and is still to come.
    def ask(store, key, &job)
      name = [store, key.b]
      @lock.synchronize do
        forget_parents
        return if @asked[name]

        @asked[name] = true
        @thread ||= start
      end
      @jobs << [name, job]
    end

    private

    # After a fork the thread is not here.
    def forget_parents
      return if @thread.nil? || @thread.alive?

      @thread = nil
      @asked.clear
      @jobs.clear
    end

    def start
      Thread.new do
        Thread.current.name = "ccache-revalidator"
        loop { run(*@jobs.pop) }
      end
    end

    # The job's failure is the next reader's to see.
    def run(name, job)
      job.call
    rescue *FOREIGN_ERRORS
      nil
    ensure
      @lock.synchronize { @asked.delete(name) }
    end

    current # the main Ractor's, before there are threads
  end
end
