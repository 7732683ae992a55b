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

      def load_options(expires_in, values, skip_nil, lock)
        Values.check(values) if values
        Load.new(lifetime: nanoseconds(expires_in), policy: values || @values, skip_nil: skip_nil, lock: lock)
      end

      def load_once(key, load, absent, &loader)
        led = false
        key = unchanging(key)
        loaded = Coalescer.current.run(flight_of(key, load)) do
          led = true
          find_or_load(key, load, absent, &loader)
        end
        return loaded.own if led

        count_coalesced
        loaded_for(key, loaded, load.policy)
      end

      # For another caller than the loader's.
      def loaded_for(key, loaded, values)
        return decode(loaded.kept, key) if loaded.encoded

        for_reader(loaded.kept, values)
      end

      def for_reader(value, values)
        values == :fresh ? private_copy(value) : value
      end

      # Runs the loader, unless another one's result came in before this one's turn.
      def find_or_load(key, load, absent, &loader)
        found = held?(key) && !absent.unreadable?(held_etag(key)) ? find_for(load, key) : absent
        return Loaded.for_finder(found) unless Absent === found

        load_under_lease(key, load, found, &loader)
      end

      # The value that is there, if this load has a use for it; or an Absent.
      def find_for(load, key)
        return read_for_fetch(key, load.policy, Freshness::NONE) unless load.picky?

        parts = parts_for_fetch(key, Freshness::NONE)
        return parts if Absent === parts

        value, etag, _age, _time_to_live, is_private = parts
        return Absent.new(nil, value, etag) unless load.usable?(value, etag)

        is_private ? value : for_reader(value, load.policy)
      end

      def load_under_lease(key, load, absent, &loader)
        run_loader(key, load, absent.condition, &loader)
      end

      # `condition` is what a server is to look at before it takes the value.
      def run_loader(key, load, condition)
        lease = take_lease(key)
        count_load
        value = yield load
        Coalescer.current.close(flight_of(key, load))
        return Loaded.own(nil, give_back_lease(key, lease)) if load.skip_nil && NilClass === value

        load.around_write { store_loaded(key, value, load, lease, condition) }
      ensure
        give_back_lease(key, lease) if lease
      end

      def store_loaded(key, value, load, lease, _condition)
        kept, encoded, weight = keep(key, value, load.policy)
        etag = write(key, kept, encoded, nil, load.lifetime, lease, nil, weight)
        Loaded.of(value, kept, encoded, !etag.nil?, etag)
      end
    end
  end
end
