# frozen_string_literal: true

module Ccache
  module RailsStore
    # Options of a call, made into what Rails 7.1 and later make of them.
    module Merging
      ALIASES = %i[expire_in expired_in].freeze

      private

      def merged_options(call_options)
        return super if call_options.nil?

        super(Version::MERGES_TIMES ? _newer_options(call_options) : _older_options(call_options))
      end

      # Since Rails 7.1 a negative time is an error, or none at all. Here it is over at once, unless
      # the app wants the error.
      def _newer_options(given)
        return given if self.class.raise_on_invalid_cache_expiration_time
        return { **given.except(:expires_at), expires_in: 0 } if _past?(given)

        given
      end

      def _past?(given)
        seconds = given[:expires_in] || given[:expire_in] || given[:expired_in]
        return seconds.negative? if seconds.respond_to?(:negative?)

        seconds.nil? && given[:expires_at] && (given[:expires_at] - Time.now).negative?
      end

      # For Rails before 7.1.
      def _older_options(given)
        options = given.except(*ALIASES, :expires_at)
        ALIASES.each { |name| options[:expires_in] ||= given[name] if given.key?(name) }
        options.delete(:compress) if Version::ENTRIES_COMPRESS
        _check_times(options[:expires_in], given[:expires_at])
        options[:expires_in] = given[:expires_at] - Time.now if given[:expires_at]
        options
      end

      def _check_times(expires_in, expires_at)
        if expires_in && expires_at
          raise ArgumentError,
                "Either :expires_in or :expires_at can be supplied, but not both"
        end
        return unless expires_in.is_a?(Time)

        raise ArgumentError, "expires_in parameter should not be a Time. Did you mean to use expires_at? " \
                             "Got: #{expires_in}"
      end
    end
  end
end
