# frozen_string_literal: true

# The least that Fiber.set_scheduler asks for: fibers that sleep and block.
class FiberScheduler
  # A thread whose fibers it schedules. Its value is nil: while the scheduler closes, which is
  # when most fibers run, Ruby 3.1 does not mark what the thread's block returned. If that was
  # freed, a later collection ends the process ("try to mark T_NONE object").
  def self.thread(scheduler = new)
    Thread.new do
      Fiber.set_scheduler(scheduler)
      yield
      nil
    end
  end

  def initialize
    @ready = Thread::Queue.new
    @sleeping = {}
    @blocked = {} # blocked fibers, which nothing else keeps from being collected
  end

  def fiber(&block)
    Fiber.new(blocking: false, &block).tap(&:resume)
  end

  def block(_blocker, timeout = nil)
    @blocked[Fiber.current] = true
    timeout ? kernel_sleep(timeout) : Fiber.yield
  ensure
    @blocked.delete(Fiber.current)
  end

  def unblock(_blocker, fiber)
    @ready << fiber
  end

  def kernel_sleep(duration = nil)
    return block(:sleep) unless duration

    @sleeping[Fiber.current] = now + duration
    Fiber.yield
    true
  ensure
    @sleeping.delete(Fiber.current) # woken early by `unblock`
  end

  def io_wait(*)
    raise NotImplementedError, "these specs wait for no IO"
  end

  def close
    until @sleeping.empty? && @blocked.empty? && @ready.empty?
      @ready.pop.resume until @ready.empty?
      due = @sleeping.select { |_, time| time <= now }.keys
      due.each { |fiber| fiber.resume if @sleeping.delete(fiber) }
      Thread.pass
    end
  end

  private

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
