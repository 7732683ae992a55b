# frozen_string_literal: true

module Ccache
  class Store
    # How `fetch` is to load, and what is done with the result.
    #
    # @api private
    class Load
      # @return [Integer, Symbol, nil] nanoseconds to live, as the native `write` takes it;
      #   may be set until the loader returns
      attr_accessor :lifetime
      # @return [Symbol] one of the `values:` policies
      attr_reader :policy
      # @return [Boolean] whether nil is not stored
      attr_reader :skip_nil
      # @return [Integer, nil] nanoseconds that a lease on the server lasts, nil for none
      attr_reader :lock

      def initialize(lifetime:, policy:, skip_nil:, lock:)
        @lifetime = lifetime
        @policy = policy
        @skip_nil = skip_nil
        @lock = lease_time(lock)
      end

      # Loads of the same key are shared if this is the same, too.
      def variant; end

      # Whether there may be an entry that this load has no use for; see {#usable?}.
      def picky?
        false
      end

      # Asked of a picky load.
      def usable?(_value, _etag)
        true
      end

      # Runs the block, which writes what was loaded.
      def around_write
        yield
      end

      # What was loaded is not on the server.
      def write_failed(error); end

      private

      # A lease that ends at once is none.
      def lease_time(lock)
        nanoseconds = lock && Seconds.of_life(lock, :lock)
        nanoseconds unless nanoseconds&.zero?
      end
    end
  end
end
