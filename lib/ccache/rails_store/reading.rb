# frozen_string_literal: true

module Ccache
  module RailsStore
    # Reads. The common one (a String, no options, nobody listening) goes straight to
    # {Ccache::Store#[]}; all others go the way of Rails' class.
    module Reading
      FRESHNESS = %i[max_age stale_while_revalidate stale_if_error].freeze

      # As in Rails; and, with a server, as fresh as the options say.
      #
      # @param name [Object] a key
      # @param options [Hash, nil] Rails', and `values: :fresh` for a private, mutable
      #   copy; `max_age:`, `stale_while_revalidate:` and `stale_if_error:`, see
      #   {Ccache::Store#get}
      # @return [Object, nil]
      def read(name, options = nil)
        return super unless options.nil? && quick?(:read, name)

        value = @ccache[name]
        Item === value ? value.unless_expired : value
      rescue *Failsafe::READ_FAILURES => e
        failed(:read_entry, e)
      end

      private

      # Whether a read needs neither a key made, nor a Hash looked at, nor an event.
      def quick?(operation, name)
        plain_name?(name) && quiet?(operation) && !@has_hashes
      end

      # For Rails' class: its kind of entry, unless it has expired.
      def read_entry(key, **options)
        parts, = failsafe(:read_entry, on: Failsafe::READ_FAILURES) { find(stored_key(key), options) }
        parts && entry_of(parts.first)
      end

      # For Rails' class: the values that are there, by name. Two round trips at most.
      def read_multi_entries(names, **options)
        stored = names.to_h { |name| [name, stored_key(normalize_key(name, options))] }
        found = failsafe(:read_multi_entries, returning: {}, on: Failsafe::READ_FAILURES) do
          @ccache.seek_multi(stored.values, **multi(options))
        end
        stored.each_with_object({}) do |(name, key), values|
          next unless found.key?(key)

          value = found[key]
          item = item_of(value)
          next if item && !item.usable?(normalize_version(name, options))

          values[name] = own(item ? item.value : value, options)
        end
      end

      # Value and etag, or what stands in the way; see Ccache::Store::Embedding#seek.
      def find(stored, options, load = nil)
        @ccache.seek(stored, load, **options.slice(:values, *FRESHNESS))
      end

      def multi(options)
        options.slice(:max_age, :stale_if_error)
      end

      def entry_of(value)
        item = item_of(value)
        return ActiveSupport::Cache::Entry.new(value, compress: false) unless item
        return if item.expired?

        entry = ActiveSupport::Cache::Entry.new(item.value, compress: false, version: item.version)
        entry.expires_at = item.expires_at
        entry
      end

      # A copy, if this caller asked for one, and this is none.
      def own(value, options)
        policy = options[:values]
        return value unless policy

        is_own = @values == :fresh
        Values.check(policy) == :fresh && !is_own ? @ccache._private_copy(value) : value
      end
    end
  end
end
