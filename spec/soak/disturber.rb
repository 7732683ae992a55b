# frozen_string_literal: true

require "timeout"

module Soak
  # What goes on around the stores: forks, compaction, restarts of the server and the like,
  # one after the other.
  class Disturber
    ALL = %i[fork_child compact cut_connections fork_child make_stores pause_server hammer].freeze
    # What empties a store or the server: one for each run, at its beginning, so that
    # memory is as full at the end of one as of another.
    EMPTYING = %i[clear forget restart_server shrink].freeze
    # Seconds between two.
    PAUSE = 1.0
    # Seconds that a child may take on a busy machine.
    PATIENCE = 60

    attr_reader :counts

    # @param bounds [Array<Integer>] of the stores' entries
    def initialize(stores, bounds, server)
      @stores = stores
      @bounds = bounds
      @server = server
      @counts = Hash.new(0)
      @next = 0
      @runs = 0
    end

    # @yieldreturn [Boolean] whether to stop
    def run
      disturb(EMPTYING[@runs % EMPTYING.size])
      @runs += 1
      until yield
        disturb(ALL[@next % ALL.size])
        @next += 1
        sleep PAUSE
      end
    end

    private

    def disturb(name)
      send(name)
      @counts[name] += 1
    end

    def fork_child
      child = fork { use_everything }
      status = Timeout.timeout(PATIENCE) { Process.wait2(child).last }
      raise "a child ended with #{status}" unless status.success?
    rescue Timeout::Error
      Process.kill(:KILL, child)
      Process.wait(child)
      raise "a child did not end within #{PATIENCE} s"
    end

    # In the child, which must end nothing of its parent's.
    def use_everything
      @stores.each { |store| use(store) }
      GC.start
      @stores.each { |store| Ccache::Testing.validate(store) }
      exit!(0)
    rescue Exception => e # rubocop:disable Lint/RescueException -- a child must not go on as its parent
      warn e.full_message
      exit!(1)
    end

    def use(store)
      50.times { |number| store.fetch("child #{number}") { ["child #{number}", number] } }
      50.times { |number| store.delete("child #{number}") }
      GC.compact if GC.respond_to?(:compact)
      store.each { |_, value| value.inspect }
    rescue Ccache::RemoteFailure # the server is away at the moment
      nil
    end

    def compact
      GC.compact if GC.respond_to?(:compact)
    end

    def restart_server
      @server.restart
    end

    def cut_connections
      @server.command("CLIENT", "KILL", "TYPE", "normal")
    end

    def clear
      @stores.each(&:clear)
    rescue Ccache::RemoteFailure
      nil
    end

    def forget
      @stores.each(&:forget)
    end

    # To a tenth, and back.
    def shrink
      @stores.zip(@bounds) do |store, bound|
        store.resize(max_entries: bound / 10)
        store.resize(max_entries: bound)
      end
    end

    # For longer than the stores wait.
    def pause_server
      @server.pause
      sleep 0.7
    ensure
      @server.resume
    end

    # Stores that come and go, closed or not. (Collected at once: how many pile up would be
    # chance, and with it the memory that they take.)
    def make_stores
      4.times do |number|
        store = Ccache::Store.new(expires_in: 30)
        1000.times { |key| store["short-lived #{key}"] = [key.to_s] }
        store.close if number.even?
      end
      GC.start
    end

    # Native threads, without the GVL.
    def hammer
      store = Ccache::Store.new
      100.times { |number| store[number.to_s] = [number] }
      Ccache::Testing.hammer(store, 2, 100)
      sleep 0.5
      100.times { |number| store[number.to_s] = [number] }
      GC.start
    ensure
      Ccache::Testing.stop_hammering
    end
  end
end
