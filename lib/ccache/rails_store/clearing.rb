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
        pattern = _pattern_of(matcher, options)
        instrument(:delete_matched, pattern.is_a?(Regexp) ? pattern.inspect : pattern) do
          next _delete_matching(pattern) if pattern.is_a?(Regexp)

          _failsafe(:delete_matched) { @ccache.delete_matched(_stored_pattern(matcher, options)) }
        end
      end

      # Removes all entries of the store; with a server, of its namespace (with the one
      # that `namespace:` names, of that).
      #
      # @param options [Hash, nil]
      # @return [Integer, nil] how many; nil if the server does not answer
      def clear(options = nil)
        return delete_matched("*", options) if options && options[:namespace]

        _failsafe(:clear) { @ccache.clear }
      end

      # Removes what has expired. That happens by itself; what is left to do is what
      # tests make expire that move Time.now, and what `race_condition_ttl:` kept.
      #
      # @param _options [Hash, nil]
      # @return [nil]
      def cleanup(_options = nil)
        instrument(:cleanup, nil, size: @ccache.size) { _delete_expired unless @_has_server }
        nil
      end

      private

      def _pattern_of(matcher, options)
        case matcher
        when String then namespace_key(matcher, options)
        when Regexp
          raise InvalidOption.for(:matcher, matcher, "a pattern as Redis has them, with a server") if @_has_server

          key_matcher(matcher, options)
        else raise InvalidOption.for(:matcher, matcher, "a String or a Regexp")
        end
      end

      def _delete_matching(pattern)
        @ccache.keys.count do |stored|
          key = _whole_key(stored)
          key.valid_encoding? && pattern.match?(key) && @ccache.delete(stored)
        end
      end

      def _delete_expired
        @ccache.keys.each do |stored| # rubocop:disable Style/HashEachMethods -- an Array's own
          entry = @ccache.entry(stored)
          @ccache.delete(stored, if_match: entry.etag) if entry && _item_of(entry.value)&.expired?
        rescue PreconditionFailed, CodecError
          next # written anew meanwhile; or nobody can read it
        end
      end
    end
  end
end
