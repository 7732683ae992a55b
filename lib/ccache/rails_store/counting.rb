# frozen_string_literal: true

module Ccache
  module RailsStore
    # `increment` and `decrement`: atomic, also between processes that share a server.
    module Counting
      # As in Rails: what is not there counts as 0, and what is keeps its time. The options
      # may follow the name, as in Rails 8: `increment("hits", expires_in: 60)`.
      #
      # @param name [Object] a key
      # @param amount [Integer]
      # @param options [Hash, nil] `expires_in:` is for a number that was not there
      # @return [Integer, nil] the sum; nil if the server does not answer
      # @raise [Ccache::InvalidValue] what is there is no number, nor text of one
      def increment(name, amount = 1, options = nil)
        amount, options = _amount_and_options(amount, options)
        _change_number(:increment, name, amount, Integer(amount), options)
      end

      # See {#increment}.
      #
      # @param name [Object] a key
      # @param amount [Integer]
      # @param options [Hash, nil]
      # @return [Integer, nil] the difference
      def decrement(name, amount = 1, options = nil)
        amount, options = _amount_and_options(amount, options)
        _change_number(:decrement, name, amount, -Integer(amount), options)
      end

      # As in Rails 8.1, in all versions.
      #
      # @param name [Object] a key
      # @return [Integer, nil] nil if there is none
      def read_counter(name, **options)
        value = read(name, options.merge(raw: true))
        NilClass === value ? nil : _number_of(value)
      end

      # As in Rails 8.1, in all versions.
      #
      # @param name [Object] a key
      # @param value [#to_i]
      # @return [Boolean, nil] as `write`
      def write_counter(name, value, **options)
        write(name, value.to_i, options.merge(raw: true))
      end

      private

      def _amount_and_options(amount, options)
        Hash === amount && options.nil? ? [1, amount] : [amount, options]
      end

      def _change_number(operation, name, amount, by, options)
        options = merged_options(options)
        key = normalize_key(name, options)
        version = normalize_version(name, options)
        instrument(operation, _named(name, key), amount: amount) do
          _failsafe(operation, on: Failsafe::READ_FAILURES) { _add_to(_stored_key(key), by, version, options) }
        end
      end

      # A bare number is added to by {Ccache::Store}; with a server, that is one command.
      def _add_to(stored, by, version, options)
        is_bare = version.nil? && (@_has_server || options[:expires_in].nil?)
        return _add_to_any(stored, by, version, options) unless is_bare

        begin
          @ccache.increment(stored, by, expires_in: _lifetime(options))
        rescue InvalidValue
          _add_to_any(stored, by, version, options)
        end
      end

      # One that has a version or a time of Rails', or is text, is replaced if it is still
      # what was read.
      def _add_to_any(stored, by, version, options)
        loop do
          sum, form, time_to_live, etag = _added(@ccache.entry(stored), by, version, options)
          @ccache.set(stored, form, expires_in: time_to_live, if_match: etag)
          return sum
        rescue PreconditionFailed
          next # another one was faster
        end
      end

      # The sum, what to keep, for how long, and instead of what.
      def _added(entry, by, version, options)
        item = entry && _item_of(entry.value)
        if entry.nil? || item&.usable?(version) == false
          return [by, _kept(by, version, _expiry(options), options), _lifetime(options), entry&.etag]
        end

        sum = _number_of(_bare(entry.value)) + by
        form = item ? _kept(sum, item.version, item.expires_at, options) : sum
        [sum, form, _time_left(entry), entry.etag]
      end

      def _time_left(entry)
        entry.expires_at&.then { |time| [time - Time.now, 0].max }
      end

      # What `raw: true` wrote is text.
      def _number_of(value)
        case value
        when NilClass, Numeric, String then value.to_i
        else raise InvalidValue.for(value, "add to", "it is no number")
        end
      end
    end
  end
end
