# frozen_string_literal: true

module Ccache
  module RailsStore
    # A value with what Rails asks of an entry and {Ccache::Store} does not know: a
    # version, and a time by the wall clock. Entries without either are the bare value.
    #
    # It is plain data if its value is, so that the value is shared.
    class Item
      include PlainData
      include Wrapper

      # For coders that know Hashes alone: do not change.
      MARK = "ccache.item"

      # @return [Object]
      attr_reader :value
      # @return [String, nil]
      attr_reader :version
      # @return [Float, nil] in seconds since 1970
      attr_reader :expires_at

      # What is on a server: do not change.
      def self.of_hash(hash)
        new(hash["value"], hash["version"], hash["expires_at"])
      end

      # @param has_hashes [Boolean] whether items may stand as {#to_h}
      # @return [Item, nil] nil for a bare value
      def self.find(kept, has_hashes)
        return kept if Item === kept

        of_hash(kept) if has_hashes && Hash === kept && kept.key?(MARK)
      end

      # The value without the wrapper.
      def self.bare(kept, has_hashes)
        item = find(kept, has_hashes)
        item ? item.value : kept
      end

      def initialize(value, version, expires_at)
        @value = value
        @version = version
        @expires_at = expires_at
      end

      # @return [Boolean] by Time.now, which tests may move
      def expired?
        !expires_at.nil? && expires_at <= Time.now.to_f
      end

      # @return [Object, nil]
      def unless_expired
        expired? ? nil : value
      end

      # @param wanted [String, nil]
      # @return [Boolean] as Rails has it: what has no version is of any
      def mismatched?(wanted)
        !(wanted.nil? || version.nil? || version == wanted)
      end

      # @return [Boolean] whether a caller who wants this version may have it
      def usable?(wanted)
        !expired? && !mismatched?(wanted)
      end

      def to_h
        { MARK => 1, "value" => value, "version" => version, "expires_at" => expires_at }
      end

      def marshal_dump
        [value, version, expires_at]
      end

      def marshal_load(parts)
        @value, @version, @expires_at = parts
      end
    end
  end
end
