# frozen_string_literal: true

module Ccache
  class Store
    # What callers give, checked and made into what the native side takes.
    #
    # @api private
    module Arguments
      private

      # A key that nobody changes while a thread waits for the server.
      def _steady(key)
        key.is_a?(String) && !key.frozen? ? String.new(key).freeze : key
      end

      # The options of a store, with defaults.
      def _complete(options)
        OPTIONS.merge(OptionNames.check(options, OPTIONS.keys))
      end

      # The key for as long as a block runs that may change the caller's String.
      def _unchanging(key)
        _check(key, nil)
        return key.name if Symbol === key # `===` also for a String that denies to be one

        key.instance_of?(String) && key.frozen? ? key : String.new(key).freeze
      end

      # For the native `write`: nanoseconds, nil for ever, or the sentinel's name.
      def _nanoseconds(expires_in)
        if expires_in.nil? then nil
        elsif INHERITED.equal?(expires_in) then :inherited
        elsif KEPT.equal?(expires_in) then :kept
        else
          Seconds.of_life(expires_in, :expires_in)
        end
      end

      # For the native `write` and `remove`: true for none, nil for "no entry", an etag
      # for that one, or one in an Array for any but that one.
      def _condition(if_match, if_none_match = nil)
        return _condition_against(if_match, if_none_match) if if_none_match
        return true if ANY.equal?(if_match)
        return if_match if if_match.nil? || if_match.is_a?(String)

        raise InvalidEtag.for(if_match)
      end

      # RFC 9110, 13.1.2: an asterisk matches any.
      def _condition_against(if_match, etag)
        raise InvalidOption.for(:if_none_match, etag, "nil beside if_match:") unless ANY.equal?(if_match)
        raise InvalidEtag.for(etag) unless etag.is_a?(String)

        etag == "*" ? nil : [etag]
      end

      # The read's own freshness, or the store's.
      def _freshness(max_age, stale_while_revalidate, stale_if_error)
        return @_remote.freshness unless max_age || stale_while_revalidate || stale_if_error

        Freshness.new(max_age, stale_while_revalidate, stale_if_error, @_remote.freshness)
      end

      # The lifetime in nanoseconds.
      def _check_entries(entries, expires_in, values)
        raise InvalidOption.for(:entries, entries, "a Hash of keys and values") unless entries.is_a?(Hash)

        Values.check(values)
        entries.each_key { |key| _check(key, nil) }
        _nanoseconds(expires_in)
      end

      def _check_amount(amount)
        raise InvalidOption.for(:amount, amount, "an Integer") unless amount.is_a?(Integer)
      end

      def _check_pattern(pattern)
        raise InvalidOption.for(:pattern, pattern, "a String") unless pattern.is_a?(String)
      end

      def _natural?(number)
        number.is_a?(Integer) && number >= 0
      end
    end
  end
end
