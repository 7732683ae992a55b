# frozen_string_literal: true

require "objspace"

module Ccache
  # What stands around a value, and is weighed with it.
  #
  # @api private
  module Wrapper
    # @!method value
    #   @return [Object]
  end

  class Store
    # What entries count for against `max_bytes:`.
    #
    # @api private
    module Weighing
      private

      # @param encoded [String, Integer, nil] what the value is encoded as, if it is
      # @return [Integer] bytes; 0 in a store that does not weigh
      # @raise [InvalidOption] the weigher returned something else
      def _weight(key, value, encoded)
        return 0 unless @_bounds.weighs?
        return _weight_by_weigher(key, value) if @_bounds.weigher
        return encoded.to_s.bytesize if encoded

        key.to_s.bytesize + _size_of(value)
      end

      def _size_of(value)
        size = ObjectSpace.memsize_of(value)
        Wrapper === value ? size + ObjectSpace.memsize_of(value.value) : size
      end

      def _weight_by_weigher(key, value)
        weight = @_bounds.weigher.call(key, value)
        return weight if _natural?(weight) && weight <= BoundOptions::MAX_BYTES

        accepted = "a block that returns an Integer from 0 to #{BoundOptions::MAX_BYTES}"
        raise InvalidOption.for(:weigher, weight, accepted)
      end
    end
  end
end
