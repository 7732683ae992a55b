# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Loads: one at a time for all processes, if the caller asks for that, and none
      # that is older than a write.
      #
      # @api private
      module Leasing
        # How long to sleep between two looks at another process' lease, in seconds.
        LOOK_FIRST = 0.002
        LOOK_LATER = 0.05
        private_constant :LOOK_FIRST, :LOOK_LATER

        private

        # See Store#_load_under_lease. Across processes, too, if the caller asks for that.
        def _load_under_lease(key, load, absent, has_waited, &loader)
          return super unless load.lock

          token = SecureRandom.bytes(16)
          wait = LOOK_FIRST
          until (loaded = _load_with_token(key, load, token, absent.condition, &loader))
            return _load_unstored(load, &loader) if has_waited

            sleep(wait)
            wait = [wait * 2, LOOK_LATER].min
            absent = _find_for(load, key)
            return Loaded.for_finder(absent) unless Absent === absent
          end
          loaded
        end

        # Nil if another process has the lease. Where an interrupt, or a failure, hides whether
        # the server has given it, it is given back.
        def _load_with_token(key, load, token, condition, &loader)
          may_hold = true
          is_given = _take_server_lease(key, token, load, condition)
          may_hold = is_given == true
          return _load_unstored(load, &loader) if is_given == :refused

          loaded = _run_loader(key, load, [:leased, token], &loader) if is_given
        ensure
          Thread.handle_interrupt(Interrupts::HELD_BACK) do
            _give_back_token(key, token, load) if may_hold && !loaded&.etag && !closed?
          end
        end

        # For its caller alone: without a lease it may be older than another process' removal.
        def _load_unstored(load)
          _count_load
          Loaded.own(yield(load), false)
        end

        # Whether the lease is given; `:refused` where the server takes no writes at all (OOM,
        # READONLY): the load is its caller's all the same.
        def _take_server_lease(key, token, load, condition)
          _lease_at_server(key, token, load.lock, *condition)
        rescue ServerError => e
          _note_write_failure(key, load, e)
          :refused
        end

        # What happened in the load is what its caller gets. To be called with interrupts held back.
        def _give_back_token(key, token, load)
          is_told = false
          tell = ->(error) { is_told ||= _event(:lease_kept, key, error) || true }
          seconds = load.lock.fdiv(Seconds::NANOSECONDS)
          LeaseReturner.current.give_back(seconds) { _give_back_now(key, token, tell) } || tell.call(nil)
        end

        # Whether there is nothing left to do.
        def _give_back_now(key, token, tell)
          _delete_at_server_if(key, :leased, token)
          true
        rescue ConnectionError, TimeoutError, ServerError => e
          tell.call(e)
          !e.retriable?
        end

        # See Store#_store_loaded: only if no other value came meanwhile. The value is its
        # caller's, and of those who wait for it, even if the server does not take it.
        def _store_loaded(key, value, load, lease, condition)
          form = _prepare(key, value, load.policy, nil)
          is_current, etag =
            if _too_large?(form)
              _refuse(key, form)
              _give_back_lease(key, lease)
            else
              _put_loaded(key, form, load, lease, condition)
            end
          Loaded.of(value, form.kept, form.is_encoded, is_current, etag)
        end

        # Whether what was loaded is still true, as far as this process knows, and the etag
        # if it was stored. A lease of its own sees what is written or removed meanwhile.
        def _put_loaded(key, form, load, lease, condition)
          is_current = false
          removals = _removals_so_far
          watch = _next_lease
          _take_lease(key, watch)
          return [false, nil] unless _give_back_lease(key, lease)

          etag = _put(key, form, nil, load.lifetime, condition) { is_current = _give_back_lease(key, watch) }
          etag = _take_back(key, etag) unless condition.first == :leased || _is_unremoved(removals)
          [!etag.nil?, etag]
        rescue ConnectionError, TimeoutError, ServerError => e
          _note_write_failure(key, load, e)
          [is_current, nil]
        ensure
          _give_back_lease(key, watch)
        end

        def _note_write_failure(key, load, error)
          _count(:write_failures)
          _event(:write_failed, key, error)
          load.write_failed(error)
        end

        # What was stored while something was removed in this process: that may have been
        # this key, just before it was stored.
        def _take_back(key, etag)
          _removing(key) { _delete_at_server_if(key, :is, etag) } if etag
          nil
        end
      end
    end
  end
end
