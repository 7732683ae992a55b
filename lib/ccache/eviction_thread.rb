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
      # Interrupts wait until the thread runs, or it is known that it cannot: a bell that was
      # made has a thread or is withdrawn.
      #
      # @param store [Store]
      # @return [Thread, nil] nil if the store has one
      def start(store)
        Thread.handle_interrupt(Interrupts::HELD_BACK) do
          bell, number = store.send(:_make_bell)
          bell && spawn(bell, store, number)
        end
      end

      private

      def spawn(bell, store, number)
        hearer = IO.for_fd(bell, "rb")
        thread = Thread.new { run(hearer, store, number) }
        thread.name = "ccache-on-evict"
        # Puma asks before it warns of threads that a fork leaves behind: each process starts its own.
        thread.thread_variable_set(:fork_safe, true)
        thread
      ensure
        withdraw(hearer, store, number) unless thread
      end

      # Ends with the store, or when another thread has taken its place. The thread inherits that
      # interrupts wait; in the block they do not, so that it can be ended at exit.
      def run(hearer, store, number)
        Thread.handle_interrupt(Interrupts::TAKEN) { nil while hearer.readpartial(WAKE_UPS) && tell(store) }
      rescue EOFError
        nil
      ensure
        withdraw(hearer, store, number)
      end

      def withdraw(hearer, store, number)
        store.send(:_unheard, number)
        hearer&.close
      end

      # False if the store is closed.
      def tell(store)
        store.send(:_tell_departures)
        store.send(:_tidy)
        !store.closed?
      rescue Exception => e # rubocop:disable Lint/RescueException -- `exit` in a listener must not stop the others
        store.send(:_listener_failed, nil, e)
        true
      end
    end
  end
end
