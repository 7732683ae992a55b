# frozen_string_literal: true

module Ccache
  class Store
    # What a loader brought: the value for its own caller, what the cache keeps,
    # whether that is an encoding, whether it may be given to those who wait for it, and
    # the etag of what was stored, nil if nothing was.
    Loaded = Struct.new(:own, :kept, :encoded, :current, :etag) do
      alias_method :current?, :current

      # From what the cache keeps of a value.
      def self.of(value, kept, is_encoded, is_current, etag = nil)
        new(is_encoded ? value : kept, kept, is_encoded, is_current, etag)
      end

      # For its caller, and for others if it is nil and still true.
      def self.own(value, is_current)
        new(value, nil, false, is_current)
      end

      # What was found after all: it may be the caller's own copy, so that others
      # look for themselves.
      def self.for_finder(value)
        own(value, false)
      end
    end
    private_constant :Loaded

    # How {Store#fetch} loads what it does not find: one load at a time per key in
    # this process, and nothing that is older than a write.
    #
    # @api private
    module Loading
      private

      def _load_options(expires_in, values, skip_nil, lock)
        Values.check(values) if values
        Load.new(lifetime: _nanoseconds(expires_in), policy: values || @_values, skip_nil: skip_nil, lock: lock)
      end

      # The coalescer's name for a load. Keys count by their bytes, as in the map.
      def _flight_of(key, load)
        [self, key.b, load.variant]
      end

      def _load_once(key, load, absent, &loader)
        led = false
        key = _unchanging(key)
        loaded = Coalescer.current.run(_flight_of(key, load)) do |has_waited|
          led = true
          _find_or_load(key, load, absent, has_waited, &loader)
        end
        return loaded.own if led

        _count_coalesced
        _loaded_for(key, loaded, load.policy) do |unreadable|
          _load_under_lease(key, load, unreadable, true, &loader).own
        end
      end

      # For another caller than the loader's. Yields an Absent if it cannot be decoded.
      def _loaded_for(key, loaded, values)
        return _for_reader(loaded.kept, values) unless loaded.encoded

        begin
          return _decode(loaded.kept, key)
        rescue CodecError => e
          unreadable = _unreadable(key, e)
        end
        yield unreadable
      end

      def _for_reader(value, values)
        values == :fresh ? _private_copy(value) : value
      end

      # Runs the loader, unless another one's result came in before this one's turn.
      def _find_or_load(key, load, absent, has_waited, &loader)
        found = _held?(key) && !absent.unreadable?(_held_etag(key)) ? _find_for(load, key) : absent
        return Loaded.for_finder(found) unless Absent === found

        _load_under_lease(key, load, found, has_waited, &loader)
      end

      # The value that is there, if this load has a use for it; or an Absent.
      def _find_for(load, key)
        return _read_for_fetch(key, load.policy, Freshness::NONE) unless load.picky?

        parts = _parts_for_fetch(key, Freshness::NONE)
        return parts if Absent === parts

        value, etag, _age, _time_to_live, is_private = parts
        return Absent.new(nil, value, etag) unless load.usable?(value, etag)

        is_private ? value : _for_reader(value, load.policy)
      end

      # `has_waited` for another one's load, in vain: once is enough.
      def _load_under_lease(key, load, absent, _has_waited, &loader)
        _run_loader(key, load, absent.condition, &loader)
      end

      # `condition` is what a server is to look at before it takes the value.
      def _run_loader(key, load, condition)
        lease = _next_lease
        _take_lease(key, lease)
        _count_load
        value = yield load
        Coalescer.current.close(_flight_of(key, load))
        return Loaded.own(nil, _give_back_lease(key, lease)) if load.skip_nil && NilClass === value

        load.around_write { _store_loaded(key, value, load, lease, condition) }
      ensure
        _give_back_lease(key, lease)
      end

      def _store_loaded(key, value, load, lease, _condition)
        kept, encoded, weight = _keep(key, value, load.policy)
        etag = _write(key, kept, encoded, nil, load.lifetime, lease, nil, weight)
        Loaded.of(value, kept, encoded, !etag.nil?, etag)
      end
    end
  end
end
