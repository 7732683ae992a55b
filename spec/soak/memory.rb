# frozen_string_literal: true

require_relative "../support/resident_memory"

module Soak
  # The process's resident memory over time, and whether it grows.
  #
  # Drift is that of the straight line that fits all samples after the warm-up best
  # (least squares), from its first to its last moment, in percent of the mean: unlike a
  # comparison of two moments it uses every sample, so that one that a collection
  # happened to precede decides nothing.
  class Memory
    Sample = Struct.new(:second, :bytes)

    # What Ruby and glibc only hold in reserve, or between what is in use, does not count.
    def self.settle
      GC.compact if GC.respond_to?(:compact)
      GC.start
      Ccache::Testing.give_back_memory
    end

    # @return [Integer] bytes, now
    def self.resident
      settle
      ResidentMemory.bytes
    end

    def initialize
      @samples = []
    end

    # @param second [Numeric] since the beginning
    # @param bytes [Integer]
    def add(second, bytes)
      @samples << Sample.new(second, bytes)
    end

    # @param from [Numeric] the second at which the warm-up ends
    # @return [Float] percent, negative if memory shrinks
    def drift(from:)
      samples = @samples.select { |sample| sample.second >= from }
      raise "two samples at least are needed" if samples.size < 2

      mean = mean(samples.map(&:bytes))
      duration = samples.last.second - samples.first.second
      100 * slope(samples, mean) * duration / mean
    end

    private

    def slope(samples, mean_bytes)
      mean_second = mean(samples.map(&:second))
      products = samples.sum { |sample| (sample.second - mean_second) * (sample.bytes - mean_bytes) }
      products / samples.sum { |sample| (sample.second - mean_second)**2 }
    end

    def mean(numbers)
      numbers.sum.fdiv(numbers.size)
    end
  end
end
