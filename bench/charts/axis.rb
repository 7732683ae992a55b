# frozen_string_literal: true

module Bench
  module Charts
    # Where a number stands between the two ends of an axis, from 0 to 1, and which
    # numbers are written beside it.
    class LogAxis
      attr_reader :ticks

      # @param ticks [Array<Numeric>, nil] the powers of ten around the numbers by default
      def initialize(numbers, ticks: nil)
        @ticks = ticks || decades(numbers)
        @first, @last = @ticks.minmax.map { |tick| Math.log(tick) }
      end

      def share(number)
        (Math.log(number) - @first) / (@last - @first)
      end

      private

      def decades(numbers)
        low = Math.log10(numbers.min).floor
        high = [Math.log10(numbers.max).ceil, low + 1].max
        (low..high).map { |exponent| exponent.negative? ? 10.0**exponent : 10**exponent }
      end
    end

    # From nothing on.
    class LinearAxis
      STEPS = [1, 2, 5].freeze
      MOST = 6

      attr_reader :ticks

      def initialize(numbers, ticks: nil)
        @ticks = ticks || from_nothing(numbers.max)
        @first, @last = @ticks.minmax
      end

      def share(number)
        (number - @first).fdiv(@last - @first)
      end

      private

      # Round numbers, the last one at or above the largest.
      def from_nothing(largest)
        largest = 1 unless largest.positive?
        rough = largest.fdiv(MOST)
        power = 10.0**Math.log10(rough).floor
        step = [*STEPS, 10].map { |factor| factor * power }.find { |size| size >= rough }
        step = step.round if step >= 1
        (0..(largest / step.to_f).ceil).map { |count| (count * step).round(6) }
      end
    end
  end
end
