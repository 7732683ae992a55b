# frozen_string_literal: true

module Ccache
  module RailsStore
    # What {Ccache::Store} is given to keep, and what a caller is given of it.
    module Keeping
      private

      # @param options [Options]
      def _keep_values(options)
        @_values = options.values
        @_has_server = options.server?
        @_has_hashes = options.hashes?
      end

      # The bare value, unless Rails wants to know its version later, or when it expires
      # by the wall clock.
      def _kept(value, version, expires_at, options)
        return value if version.nil? && !(expires_at && _by_wall_clock?(value, options)) && !_item_of(value)

        item = Item.new(value, version, expires_at)
        @_has_hashes ? item.to_h : item
      end

      # In one process always, so that tests which move Time.now see entries expire. With
      # a server that would give the same value another tag each time it is written: so
      # there only for what others may have a little longer, and where nothing is shared:
      # but for raw numbers, which the server is to count.
      def _by_wall_clock?(value, options)
        return true if !@_has_server || _races?(options)

        @_values == :fresh && !(options[:raw] && Integer === value)
      end

      # @return [Item, nil] nil for a bare value
      def _item_of(value)
        Item.find(value, @_has_hashes)
      end

      # The value without the wrapper.
      def _bare(value)
        Item.bare(value, @_has_hashes)
      end

      def _races?(options)
        options[:race_condition_ttl].to_i.positive?
      end

      # How long {Ccache::Store} is to keep it, in seconds: as much longer than it says as
      # others may take it while one makes the next.
      def _lifetime(options)
        expires_in = options[:expires_in]
        return unless expires_in

        return 0 unless expires_in.to_f.positive?

        expires_in.to_f + (_races?(options) ? options[:race_condition_ttl].to_f : 0)
      end

      # When it expires by the wall clock, in seconds since 1970.
      def _expiry(options)
        options[:expires_in] && (Time.now.to_f + options[:expires_in].to_f)
      end

      # For {Ccache::Store#set}: the policy of the call, if it names one.
      def _policy_of(options)
        policy = options[:values]
        policy ? { values: policy } : {}
      end

      # What a later reader will get, for the one who made it: so that who changes it by
      # mistake learns that at once, not when it comes from the cache.
      def _shared(value, options)
        policy = options[:values] || @_values
        is_copied = policy == :copied || (policy == :auto && PlainData.plain?(value))
        is_copied ? Values.keep(value, :copied).first : value
      rescue TooDeep
        value # which is not kept
      end
    end
  end
end
