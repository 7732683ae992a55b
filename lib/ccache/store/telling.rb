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

      def _take_listener(on_evict)
        @_on_evict = Callable.check(:on_evict, on_evict, "call(key, value, cause)")
        @_telling = :"ccache_telling_#{object_id}" if on_evict
      end

      # What left, until nothing is left to tell. What the listener itself takes out is told
      # by the call that is telling already.
      def _tell_departures
        return if Thread.current[@_telling]

        begin
          Thread.current[@_telling] = true
          nil while _tell_next
        ensure
          Thread.handle_interrupt(Interrupts::HELD_BACK) { Thread.current[@_telling] = nil }
        end
      end

      # False if nothing left. A listener that fails is not the caller's fault.
      def _tell_next
        departed = _next_departure
        departed && @_on_evict.call(*departed)
        !departed.nil?
      rescue *FOREIGN_ERRORS => e
        _listener_failed(departed ? departed.first : (e.key if CodecError === e), e)
        true
      end

      # For the native side: a process has its own thread for what leaves without a call.
      def _listen
        EvictionThread.start(self)
      rescue ThreadError, IOError, SystemCallError, NoMemoryError
        nil # not now: the next call tries again
      end

      # For the native side: what is too heavy was not kept.
      def _note_refusal(key, weight)
        _event(:refused, key, weight: weight, max_bytes: _bounds.last)
      end

      def _listener_failed(key, error)
        return _event(:on_evict_failed, key, error) if @_remote.on_event

        warn "on_evict of #{inspect} failed: #{error.full_message(highlight: false)}"
      end

      # Tells the program; what that does wrong is not the caller's fault.
      def _event(name, key, error = nil, **facts)
        @_remote.on_event&.call(name, { key: key, **_origin, error: error, **facts }.compact)
      rescue *FOREIGN_ERRORS => e
        warn "on_event of #{inspect} failed: #{e.full_message(highlight: false)}"
      end

      # Where an event comes from, beside this process.
      def _origin
        {}
      end
    end
  end
end
