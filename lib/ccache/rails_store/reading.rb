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
        return super unless options.nil? && _quick?(:read, name)

        value = @ccache[name]
        Item === value ? value.unless_expired : value
      rescue *Failsafe::READ_FAILURES => e
        _failed(:read_entry, e)
      end

      private

      # Whether a read needs neither a key made, nor a Hash looked at, nor an event.
      def _quick?(operation, name)
        _plain_name?(name) && _quiet?(operation) && !@_has_hashes
      end

      # For Rails' class: its kind of entry, unless it has expired.
      def read_entry(key, **options)
        parts, = _failsafe(:read_entry, on: Failsafe::READ_FAILURES) { _find(_stored_key(key), options) }
        parts && _entry_of(parts.first)
      end

      # For Rails' class: the values that are there, by name. Two round trips at most.
      def read_multi_entries(names, **options)
        stored = names.to_h { |name| [name, _stored_key(normalize_key(name, options))] }
        found = _failsafe(:read_multi_entries, returning: {}, on: Failsafe::READ_FAILURES) do
          @ccache.seek_multi(stored.values, **_multi(options))
        end
        stored.each_with_object({}) do |(name, key), values|
          next unless found.key?(key)

          value = found[key]
          item = _item_of(value)
          next if item && !item.usable?(normalize_version(name, options))

          values[name] = _own(item ? item.value : value, options)
        end
      end

      # Value and etag, or what stands in the way; see Ccache::Store::Embedding#seek.
      def _find(stored, options, load = nil)
        @ccache.seek(stored, load, **options.slice(:values, *FRESHNESS))
      end

      def _multi(options)
        options.slice(:max_age, :stale_if_error)
      end

      def _entry_of(value)
        item = _item_of(value)
        return ActiveSupport::Cache::Entry.new(value, compress: false) unless item
        return if item.expired?

        entry = ActiveSupport::Cache::Entry.new(item.value, compress: false, version: item.version)
        entry.expires_at = item.expires_at
        entry
      end

      # A copy, if this caller asked for one, and this is none.
      def _own(value, options)
        policy = options[:values]
        return value unless policy

        is_own = @_values == :fresh
        Values.check(policy) == :fresh && !is_own ? @ccache._private_copy(value) : value
      end
    end
  end
end
