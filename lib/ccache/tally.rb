# frozen_string_literal: true

module Ccache
  # What the running thread did with all stores of this process; for the log line of a
  # request. Native: {keep} makes all threads count from now on, {take} gives what this
  # one counted since it was asked last.
  #
  # @api private
  module Tally
    # Reads, those of them that a server answered with "not modified", values loaded by a
    # server or a block, and milliseconds of waiting for servers.
    Counts = Struct.new(:reads, :not_modified, :loads, :milliseconds) do
      def +(other)
        self.class.new(*to_a.zip(other.to_a).map(&:sum))
      end

      # @return [Boolean] whether anything was counted
      def any?
        to_a.any?(&:positive?)
      end

      # @return [String] for a log
      def to_s
        "#{reads} reads (#{not_modified} not modified, #{loads} loaded), #{format("%<ms>.1f", ms: milliseconds)}ms"
      end
    end

    # @return [Counts]
    def self.take_counts
      *counts, nanoseconds = take
      Counts.new(*counts, nanoseconds / 1e6)
    end
  end
end
