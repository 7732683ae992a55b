# frozen_string_literal: true

module Ccache
  # Gives leases back that this process took, or may have taken, on a server: one thread
  # per Ractor and process, started with the first one.
  #
  # The caller whose load failed or was interrupted is wanted elsewhere, and the server may
  # be what was too slow for it. So it waits for a moment alone; what takes longer goes
  # on here, also after failures, until the lease has run out by itself.
  #
  # @api private
  class LeaseReturner
    # How long, in seconds, the caller waits: enough for a server that answers.
    MOMENT = 0.05
    # Between two tries, in seconds.
    PAUSE = 0.05
    # How many leases are tried for at most; the rest runs out.
    MOST = 100

    # A lease to give back, until when it lasts, and whether it was tried.
    Job = Struct.new(:deadline, :attempt, :is_tried)
    private_constant :Job

    # The one of the running Ractor.
    def self.current
      Ractor.current[:ccache_lease_returner] ||= new
    end

    def initialize
      @lock = Thread::Mutex.new
      @changed = Thread::ConditionVariable.new
      @jobs = []
      @thread = nil
    end

    # Runs the block in the thread until it returns true, and waits for the first try for a
    # moment. To be called with interrupts held back.
    #
    # @param seconds [Numeric] after which the lease has run out
    # @return [Boolean] whether it is given back, or still tried
    def give_back(seconds, &attempt)
      job = Job.new(now + seconds, attempt, false)
      @lock.synchronize do
        return false unless add(job)

        wait_for_first_try(job)
      end
      true
    end

    private

    def wait_for_first_try(job)
      deadline = now + MOMENT
      until job.is_tried || (left = deadline - now) <= 0
        @changed.wait(@lock, left)
      end
    end

    # False if there are too many, or no thread is to be had.
    def add(job)
      forget_parents
      return false if @jobs.size >= MOST

      @thread ||= start
      @jobs << job
      @changed.broadcast
      true
    rescue ThreadError
      false
    end

    # After a fork the thread is not here.
    def forget_parents
      return if @thread.nil? || @thread.alive?

      @thread = nil
      @jobs.clear
    end

    def start
      # A thread inherits what its maker holds back, and could not be ended at exit.
      thread = Thread.new { Thread.handle_interrupt(Interrupts::TAKEN) { loop { work } } }
      thread.name = "ccache-leases"
      thread.thread_variable_set(:fork_safe, true)
      thread
    end

    def work
      job = next_job
      is_over = attempt(job) || now > job.deadline
      @lock.synchronize do
        @jobs << job unless is_over
        job.is_tried = true
        @changed.broadcast
      end
      sleep(PAUSE) unless is_over
    end

    def next_job
      @lock.synchronize do
        @changed.wait(@lock) while @jobs.empty?
        @jobs.shift
      end
    end

    # A failure that is not the server's is no reason to try again.
    def attempt(job)
      job.attempt.call
    rescue Exception # rubocop:disable Lint/RescueException -- `exit` in an `on_event:` must not stop the others
      true
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    current # the main Ractor's, before there are threads
  end
end
