# frozen_string_literal: true

module Ccache
  # The registry that keeps a store's objects alive, for people and tests to
  # look at; see docs/gc-and-pins.md. Obtained from {Store#pin_list}.
  class PinList
    include Enumerable

    # A Ruby object of 64 slots that the garbage collector marks.
    #
    # @!method size
    #   @return [Integer] slots in use
    class Segment
      # @return [String]
      def inspect
        "#<#{self.class} #{size} of 64 slots in use>"
      end
    end

    # @!method self.slots_marked
    #   @return [Integer] slots that the mark functions of all stores' segments
    #     have visited since the process began

    # @api private
    def initialize(store)
      @store = store
    end

    # @return [Integer] pinned objects; nil, true, false, small numbers and
    #   literal symbols need no pin
    def size
      @store.send(:_pins)
    end

    # @return [Integer] segments in the list
    def segments
      @store.send(:_segments)
    end

    # @yieldparam object [Object] each object that was pinned when `each` began
    # @return [Enumerator, self]
    def each(&block)
      return to_enum { size } unless block

      @store.send(:_pinned_objects).each(&block)
      self
    end

    # @return [String]
    def inspect
      "#<#{self.class} size=#{size} segments=#{segments}>"
    end
  end
end
