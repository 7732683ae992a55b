# frozen_string_literal: true

module Ccache
  module RailsStore
    # What {Ccache::Store} is given to keep, and what a caller is given of it.
    module Keeping
      private

      # @param options [Options]
      def keep_values(options)
        @values = options.values
        @has_server = options.server?
        @has_hashes = options.hashes?
      end

      # The bare value, unless Rails wants to know its version later, or when it expires
      # by the wall clock.
      def kept(value, version, expires_at, options)
        return value if version.nil? && !(expires_at && by_wall_clock?(value, options)) && !item_of(value)

        item = Item.new(value, version, expires_at)
        @has_hashes ? item.to_h : item
      end

      # In one process always, so that tests which move Time.now see entries expire. With
      # a server that would give the same value another tag each time it is written: so
      # there only for what others may have a little longer, and where nothing is shared:
      # but for raw numbers, which the server is to count.
      def by_wall_clock?(value, options)
        return true if !@has_server || races?(options)

        @values == :fresh && !(options[:raw] && Integer === value)
      end

      # @return [Item, nil] nil for a bare value
      def item_of(value)
        Item.find(value, @has_hashes)
      end

      # The value without the wrapper.
      def bare(value)
        Item.bare(value, @has_hashes)
      end

      def races?(options)
        options[:race_condition_ttl].to_i.positive?
      end

      # How long {Ccache::Store} is to keep it, in seconds: as much longer than it says as
      # others may take it while one makes the next.
      def lifetime(options)
        expires_in = options[:expires_in]
        return unless expires_in

        return 0 unless expires_in.to_f.positive?

        expires_in.to_f + (races?(options) ? options[:race_condition_ttl].to_f : 0)
      end

      # When it expires by the wall clock, in seconds since 1970.
      def expiry(options)
        options[:expires_in] && (Time.now.to_f + options[:expires_in].to_f)
      end

      # For {Ccache::Store#set}: the policy of the call, if it names one.
      def policy_of(options)
        policy = options[:values]
        policy ? { values: policy } : {}
      end

      # What a later reader will get, for the one who made it: so that who changes it by
      # mistake learns that at once, not when it comes from the cache.
      def shared(value, options)
        policy = options[:values] || @values
        is_copied = policy == :copied || (policy == :auto && PlainData.plain?(value))
        is_copied ? Values.keep(value, :copied).first : value
      rescue TooDeep
        value # which is not kept
      end
    end
  end
end
