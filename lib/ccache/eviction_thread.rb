# frozen_string_literal: true

module Ccache
  # Wakes when something left a store without a call of the store's, and has the store
  # tell it to its `on_evict:`. It keeps the store alive, and ends when that is closed.
  #
  # @api private
  module EvictionThread
    # Taken at once: each byte is a wake-up, and one does for all.
    WAKE_UPS = 4096

    class << self
      # @param store [Store]
      # @param bell [Integer] a descriptor from which a byte can be read when something left
      # @return [Thread]
      def start(store, bell)
        hearer = IO.for_fd(bell, "rb")
        spawn(hearer, store)
      rescue StandardError
        hearer&.close
        raise
      end

      private

      def spawn(hearer, store)
        # A thread inherits what its maker holds back, and could not be ended at exit.
        thread = Thread.new { Thread.handle_interrupt(Object => :immediate) { run(hearer, store) } }
        thread.name = "ccache-on-evict"
        # Puma asks before it warns of threads that a fork leaves behind: each process starts its own.
        thread.thread_variable_set(:fork_safe, true)
        thread
      end

      def run(hearer, store)
        nil while hearer.readpartial(WAKE_UPS) && tell(store)
      ensure
        store.send(:unheard)
        hearer.close
      end

      # False if the store is closed.
      def tell(store)
        store.send(:tell_departures)
        store.send(:tidy)
        !store.closed?
      rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` in a listener must not stop the others
        store.send(:listener_failed, nil, e)
        true
      end
    end
  end
end
