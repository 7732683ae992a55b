# frozen_string_literal: true

module Ccache
  class Store # rubocop:disable Style/Documentation -- see store.rb
    # How {#fetch} is to load: nanoseconds to live, values, whether nil is stored,
    # and nanoseconds that a lease on the server lasts, or nil.
    Load = Struct.new(:lifetime, :policy, :skip_nil, :lock)

    # What a loader brought: the value for its own caller, what the cache keeps,
    # whether that is an encoding, and whether it is still true for others.
    Loaded = Struct.new(:own, :kept, :encoded, :current) do
      alias_method :current?, :current

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
    private_constant :Load, :Loaded

    # How {Store#fetch} loads what it does not find: one load at a time per key in
    # this process, and nothing that is older than a write.
    #
    # @api private
    module Loading
      private

      def load_options(expires_in, values, skip_nil, lock)
        Values.check(values) if values
        Load.new(nanoseconds(expires_in), values || @values, skip_nil, lock && Seconds.to_nanoseconds(lock, :lock))
      end

      def load_once(key, load, absent, &loader)
        led = false
        key = unchanging(key)
        loaded = Coalescer.current.run(flight_of(key)) do
          led = true
          find_or_load(key, load, absent, &loader)
        end
        return loaded.own if led

        count_coalesced
        loaded_for(loaded, load.policy)
      end

      # For another caller than the loader's.
      def loaded_for(loaded, values)
        return decode(loaded.kept) if loaded.encoded

        for_reader(loaded.kept, values)
      end

      def for_reader(value, values)
        values == :fresh ? Values.copy_mutable(value) : value
      end

      # Runs the loader, unless another one's result came in before this one's turn.
      def find_or_load(key, load, absent, &loader)
        found = held?(key) ? read_for_fetch(key, load.policy, Freshness::NONE) : absent
        return Loaded.for_finder(found) unless Absent === found

        load_under_lease(key, load, found, &loader)
      end

      def load_under_lease(key, load, absent, &loader)
        run_loader(key, load, absent.condition, &loader)
      end

      # `condition` is what a server is to look at before it takes the value.
      def run_loader(key, load, condition)
        lease = take_lease(key)
        count_load
        value = yield
        Coalescer.current.close(flight_of(key))
        store_loaded(key, value, load, lease, condition)
      ensure
        give_back_lease(key, lease) if lease
      end

      def store_loaded(key, value, load, lease, _condition)
        return Loaded.own(nil, give_back_lease(key, lease)) if value.nil? && load.skip_nil

        kept, encoded = Values.keep(value, load.policy)
        is_stored = write(key, kept, encoded, nil, load.lifetime, lease, nil)
        Loaded.new(encoded ? value : kept, kept, encoded, !is_stored.nil?)
      end
    end
  end
end
