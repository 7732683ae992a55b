# frozen_string_literal: true

module Ccache
  # One load at a time per key; callers that come meanwhile wait for its result.
  #
  # A caller waits for one load at most. If that one's result cannot be shared (it raised,
  # was killed, or may be older than a write), all who waited run their own blocks at once,
  # side by side, and so do callers that come while such blocks are running: a load that
  # keeps failing costs each caller its own block and no queue. The first of these
  # loads whose result can be shared ends that, as does the end of the last one.
  #
  # The waiting is Ruby's (Mutex and ConditionVariable), so it needs no GVL,
  # lets a fiber scheduler run other fibers, and ends at Thread#kill, Timeout and
  # fork as any Ruby wait does. There is one coalescer per Ractor.
  #
  # A wait that could never end is not begun: a load that, directly or through
  # the loads of other threads, waits for itself runs its block at once.
  #
  # @api private
  class Coalescer
    # A load on its way, or a caller's own part in another one's.
    class Flight
      attr_reader :loader, :companions
      attr_accessor :result, :is_shared, :landed, :condition, :leader

      def initialize(loader)
        @loader = loader
        @landed = false
        @is_shared = false
        @companions = []
      end

      # Landed, or the loader's thread is dead, as in a forked child.
      def over?
        landed || !loader.thread.alive?
      end

      # Over without a result for others, some of whom load for themselves now.
      def scattered?
        over? && !is_shared && companions.any? { |flight| !flight.over? }
      end
    end

    # A fiber that loads or waits. `waits_for` is a Flight or nil.
    class Loader
      attr_reader :thread

      def initialize
        @thread = Thread.current
        @waits_for = nil
      end

      # The flight that this fiber waits for, or that its whole thread does: a wait
      # without a scheduler holds up the thread's other fibers, too.
      def waits_for
        @waits_for || thread.thread_variable_get(:ccache_waits_for)
      end

      def waits_for=(flight)
        @waits_for = flight
        thread.thread_variable_set(:ccache_waits_for, flight) if flight.nil? || Fiber.current_scheduler.nil?
      end

      # Fiber-local, as Thread#[] is.
      def self.current
        Thread.current[:ccache_loader] ||= new
      end

      # Whether this loader's waiting for the flight would never end: if it waits
      # (through others) for this very fiber, or for another fiber of this thread
      # while there is no scheduler to switch to it.
      def deadlocks_on?(flight)
        seen = [] # a cycle of others is theirs to break
        until flight.nil? || flight.over? || seen.include?(flight)
          seen << flight
          other = flight.loader
          return true if other.equal?(self) || (other.thread.equal?(thread) && Fiber.current_scheduler.nil?)

          flight = other.waits_for
        end
        false
      end
    end
    private_constant :Flight, :Loader

    # How often, in seconds, a wait looks whether its flight is over: a loader at
    # the end of its stack lands without being able to say so.
    LOOK_AGAIN = 1

    # The coalescer of the running Ractor. (Two threads of a Ractor other than
    # the main one may at its very first load both make one: they then load twice.)
    def self.current
      Ractor.current[:ccache_coalescer] ||= new
    end

    def initialize
      @lock = Thread::Mutex.new
      @flights = {}
    end

    # Runs the block, or waits for the caller that runs it for the same key and takes
    # what that returned if it is `current?`; else runs the block.
    #
    # @yieldparam has_waited [Boolean] whether another caller's result could not be taken
    # @return [#current?] what the block returned, here or there
    def run(key)
      attempt(key) do |mine, other|
        next other.result if other&.is_shared

        result = yield !other.nil?
        mine.is_shared = result.current?
        mine.result = result
      end
    end

    # Runs the block, or waits for the caller that runs it for the same key.
    #
    # @return [Array(Boolean, Object)] whether it was run here, and what it returned
    def once(key)
      attempt(key) do |mine, other|
        next [false, other.result] if other

        result = yield
        mine.is_shared = true
        [true, mine.result = result]
      end
    end

    # Lets nobody join this fiber's flight any more. A loader that has what it
    # wanted says so before it stores it: who comes after that may come after a
    # write, or a removal, of that very value, and has to look for itself.
    def close(key)
      @lock.synchronize do
        flight = @flights[key]
        @flights.delete(key) if flight && !flight.over? && flight.loader.equal?(Loader.current)
      end
    end

    private

    # Yields this caller's flight, and the flight that it has waited for, if any.
    def attempt(key)
      loader = Loader.current
      mine = Flight.new(loader)
      begin
        flight = take_off(key, mine)
        has_waited = !flight.equal?(mine) && wait_for(flight, loader)
        yield mine, has_waited ? flight : nil
      ensure
        begin
          Thread.handle_interrupt(Interrupts::HELD_BACK) { land(key, mine) }
        ensure
          mine.landed = true # needs no stack, where there is none left for the line above
        end
      end
    end

    # The flight to wait for, or `mine` if the block is to be run at once: there is no
    # flight of this key, or it has scattered.
    def take_off(key, mine)
      @lock.synchronize do
        flight = @flights[key]
        is_scattered = flight&.scattered?
        next @flights[key] = mine if flight.nil? || (flight.over? && !is_scattered)

        mine.leader = flight
        flight.companions << mine
        is_scattered ? mine : flight
      end
    end

    def land(key, mine)
      mine.landed = true
      @lock.synchronize do
        leader = mine.leader
        leader&.companions&.delete(mine)
        settle(key, leader || mine, mine.is_shared)
        mine.condition&.broadcast
      end
    end

    # A flight that has scattered stays for newcomers to see, until one of those who
    # load has a result that can be shared.
    def settle(key, flight, is_shared)
      if is_shared || !flight.scattered?
        @flights.delete(key) if flight.over? && flight.equal?(@flights[key])
      else
        @flights[key] ||= flight
      end
    end

    # Waits until the flight has landed; false if that would never be.
    #
    # The wait is announced before a cycle is looked for: of two threads that begin
    # to wait for each other at the same time, at least one then sees it.
    def wait_for(flight, loader)
      loader.waits_for = flight
      return false if loader.deadlocks_on?(flight)

      @lock.synchronize do
        until flight.over?
          flight.condition ||= Thread::ConditionVariable.new
          flight.condition.wait(@lock, LOOK_AGAIN)
        end
      end
      true
    ensure
      Thread.handle_interrupt(Interrupts::HELD_BACK) { loader.waits_for = nil }
    end

    current # the main Ractor's, before there are threads
  end
end
