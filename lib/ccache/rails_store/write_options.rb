# frozen_string_literal: true

module Ccache
  module RailsStore
    # What the block of `fetch` may still decide, as its second parameter: Rails 7.1's
    # WriteOptions, in all versions.
    class WriteOptions
      # @param options [Hash] changed by the setters
      def initialize(options)
        @options = options
      end

      # @return [Object, nil]
      def version
        @options[:version]
      end

      # @param version [Object]
      def version=(version)
        @options[:version] = version
      end

      # @return [Numeric, nil] seconds
      def expires_in
        @options[:expires_in]
      end

      # @param seconds [Numeric]
      def expires_in=(seconds)
        @options.delete(:expires_at)
        @options[:expires_in] = seconds
      end

      # @return [Time, nil]
      def expires_at
        @options[:expires_at]
      end

      # @param time [Time]
      def expires_at=(time)
        @options.delete(:expires_in)
        @options[:expires_at] = time
      end
    end
  end
end
