# frozen_string_literal: true

module Ccache
  class Store
    # Bounds, and what is decided by them.
    module Resizing
      # Changes the bounds of a store in use, and evicts what they no longer allow.
      #
      # Atomic per entry: other threads use the store meanwhile, within the new bounds.
      # If little is left, what is left is moved together, so that the memory of the
      # map and of the pin list is given back (that of the evicted objects is the GC's).
      #
      # @param max_entries [Integer, nil] nil for no bound; not given, it stays
      # @param max_bytes [Integer, nil] likewise
      # @return [self]
      # @raise [InvalidOption] nothing was changed; also for `max_bytes:` if the store was
      #   made without it and without a `weigher:`, since its entries were not weighed
      # @raise [ClosedError]
      def resize(max_entries: KEPT, max_bytes: KEPT)
        max_entries = KEPT.equal?(max_entries) ? :kept : @_bounds.check_max_entries(max_entries)
        max_bytes = KEPT.equal?(max_bytes) ? :kept : @_bounds.recheck_max_bytes(max_bytes)
        _change_bounds(max_entries, max_bytes)
        _gather_pins if _sparse?
        _trim
        self
      end

      # The entries that were read or written most often lately, as far as the eviction
      # policy has counted: a number from 0 to 18 that ages, and in a cache
      # that is far from full knows of the last three uses alone.
      #
      # @param count [Integer] how many at most
      # @return [Hash{String => Integer}] keys with about how often, the most often used
      #   one first; empty for a store without bounds, which does not count
      # @raise [InvalidOption, ClosedError]
      def hottest(count)
        raise InvalidOption.for(:count, count, "an Integer from 0") unless _natural?(count)

        _popular([count, BoundOptions::MAX_ENTRIES].min)
      end

      private

      def _gather_pins
        snapshot = _take_snapshot
        begin
          nil while _gather(snapshot)
        ensure
          _discard(snapshot)
        end
      end
    end
  end
end
