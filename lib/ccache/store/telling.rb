# frozen_string_literal: true

require_relative "../eviction_thread"

module Ccache
  class Store
    # Tells `on_evict:` what left, and `on_event:` what happened.
    #
    # What a call of the store's took out is told at the end of that call; what leaves
    # otherwise (it expired, or a server's answer outdated it) by a thread of the
    # store's own. Neither holds a lock then, so that the listener may use the store.
    #
    # @api private
    module Telling
      private

      def take_listener(on_evict)
        @on_evict = Callable.check(:on_evict, on_evict, "call(key, value, cause)")
        @telling = :"ccache_telling_#{object_id}" if on_evict
      end

      # What left, until nothing is left to tell. What the listener itself takes out is told
      # by the call that is telling already.
      def tell_departures
        return if Thread.current[@telling]

        begin
          Thread.current[@telling] = true
          nil while tell_next
        ensure
          Thread.current[@telling] = nil
        end
      end

      # False if nothing left. A listener that fails is not the caller's fault.
      def tell_next
        departed = next_departure
        departed && @on_evict.call(*departed)
        !departed.nil?
      rescue StandardError => e
        listener_failed(departed&.first, e)
        true
      end

      # For the native side: a process has its own thread for what leaves without a call.
      def listen
        EvictionThread.start(self, make_bell)
      rescue ThreadError, IOError, SystemCallError, NoMemoryError
        nil # not now: the next call tries again
      end

      # For the native side: what is too heavy was not kept.
      def note_refusal(key, weight)
        event(:refused, key, weight: weight, max_bytes: bounds.last)
      end

      def listener_failed(key, error)
        return event(:on_evict_failed, key, error) if @remote.on_event

        warn "on_evict of #{inspect} failed: #{error.full_message(highlight: false)}"
      end

      # Tells the program; what that does wrong is not the caller's fault.
      def event(name, key, error = nil, **facts)
        @remote.on_event&.call(name, { key: key, **origin, error: error, **facts }.compact)
      rescue StandardError => e
        warn "on_event of #{inspect} failed: #{e.full_message(highlight: false)}"
      end

      # Where an event comes from, beside this process.
      def origin
        {}
      end
    end
  end
end
