# frozen_string_literal: true

require_relative "step"

module Consistency
  # The values that are written: numbers in the forms that values have on their way
  # through the cache (an integer, which the server could count; plain data, which is
  # kept as a live object; any other object, which is kept encoded).
  class Values
    # A value that is no plain data.
    Wrapped = Class.new do
      attr_reader :number, :padding

      def initialize(number, padding)
        @number = number
        @padding = padding
      end

      def ==(other)
        other.is_a?(self.class) && number == other.number && padding == other.padding
      end
    end

    # @param padding [Integer] how many bytes are added to a value
    # @param contents [Integer, nil] how many different values there are; no bound if nil
    # @param first [Integer] the number before the first one
    def initialize(padding:, contents:, first:)
      @padding = "." * padding
      @contents = contents
      @last = first
    end

    # @return [Array(Integer, Object)] a number that was not there before, and its value
    def next(random)
      number = @contents ? 1 + random.rand(@contents) : (@last += 1)
      [number, value(number)]
    end

    # The number of a value, or that of nothing for nil.
    def number(value)
      number = case value
               when nil then return Step::ABSENT
               when Integer then value
               when String then value.to_i
               when Array then value.first
               when Wrapped then value.number
               end
      value == value(number) ? number : Step::BROKEN
    end

    private

    def value(number)
      case number % 4
      when 0 then number
      when 1 then "#{number} #{@padding}"
      when 2 then [number, { padding: @padding }]
      else Wrapped.new(number, @padding)
      end
    end
  end
end
