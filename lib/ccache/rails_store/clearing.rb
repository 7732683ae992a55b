# frozen_string_literal: true

module Ccache
  module RailsStore
    # Removing much at once.
    module Clearing
      # Removes what matches: by a Regexp, of the whole key, in one process; by a pattern
      # as Redis has them (`views/*`) there and with a server. Looks at all keys.
      #
      # @param matcher [String, Regexp]
      # @param options [Hash, nil] `namespace:`
      # @return [Integer, nil] how many; nil if the server does not answer
      # @raise [Ccache::InvalidOption] a Regexp, with a server
      def delete_matched(matcher, options = nil)
        options = merged_options(options)
        pattern = pattern_of(matcher, options)
        instrument(:delete_matched, pattern.is_a?(Regexp) ? pattern.inspect : pattern) do
          next delete_matching(pattern) if pattern.is_a?(Regexp)

          failsafe(:delete_matched) { @ccache.delete_matched(stored_pattern(matcher, options)) }
        end
      end

      # Removes all entries of the store; with a server, of its namespace (with the one
      # that `namespace:` names, of that).
      #
      # @param options [Hash, nil]
      # @return [Integer, nil] how many; nil if the server does not answer
      def clear(options = nil)
        return delete_matched("*", options) if options && options[:namespace]

        failsafe(:clear) { @ccache.clear }
      end

      # Removes what has expired. That happens by itself; what is left to do is what
      # tests make expire that move Time.now, and what `race_condition_ttl:` kept.
      #
      # @param _options [Hash, nil]
      # @return [nil]
      def cleanup(_options = nil)
        instrument(:cleanup, nil, size: @ccache.size) { delete_expired unless @has_server }
        nil
      end

      private

      def pattern_of(matcher, options)
        case matcher
        when String then namespace_key(matcher, options)
        when Regexp
          raise InvalidOption.for(:matcher, matcher, "a pattern as Redis has them, with a server") if @has_server

          key_matcher(matcher, options)
        else raise InvalidOption.for(:matcher, matcher, "a String or a Regexp")
        end
      end

      def delete_matching(pattern)
        @ccache.keys.count do |stored|
          key = whole_key(stored)
          key.valid_encoding? && pattern.match?(key) && @ccache.delete(stored)
        end
      end

      def delete_expired
        @ccache.keys.each do |stored| # rubocop:disable Style/HashEachMethods -- an Array's own
          entry = @ccache.entry(stored)
          @ccache.delete(stored, if_match: entry.etag) if entry && item_of(entry.value)&.expired?
        rescue PreconditionFailed, CodecError
          next # written anew meanwhile, or not to be read here
        end
      end
    end
  end
end
