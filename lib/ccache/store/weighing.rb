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
      def weight(key, value, encoded)
        return 0 unless @bounds.weighs?
        return weight_by_weigher(key, value) if @bounds.weigher
        return encoded.to_s.bytesize if encoded

        key.to_s.bytesize + size_of(value)
      end

      def size_of(value)
        size = ObjectSpace.memsize_of(value)
        Wrapper === value ? size + ObjectSpace.memsize_of(value.value) : size
      end

      def weight_by_weigher(key, value)
        weight = @bounds.weigher.call(key, value)
        return weight if natural?(weight) && weight <= BoundOptions::MAX_BYTES

        accepted = "a block that returns an Integer from 0 to #{BoundOptions::MAX_BYTES}"
        raise InvalidOption.for(:weigher, weight, accepted)
      end
    end
  end
end
