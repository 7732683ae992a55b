# frozen_string_literal: true

module Ccache
  module RailsStore
    # Writes and removals, for Rails' class, which prepares them.
    module Writing
      private

      def write_entry(key, entry, **options)
        stored = _stored_key(key)
        form = _kept(entry.value, entry.version, entry.expires_at, options)
        settings = { expires_in: _lifetime(options), **_policy_of(options) }
        _failsafe(:write_entry, returning: Version::WRITE_FAILED, on: Failsafe::WRITE_FAILURES) do
          next _add(stored, form, settings) if options[:unless_exist]

          @ccache.set(stored, form, **settings)
          true
        end
      rescue ValueTooLarge # as if it had been written and dropped at once
        delete_entry(key) unless options[:unless_exist]
        false
      end

      # Writes only where there is nothing, or nothing that has not expired.
      #
      # @return [Boolean] whether it did
      def _add(stored, form, settings)
        @ccache.set(stored, form, **settings, if_none_match: "*")
        true
      rescue PreconditionFailed
        _replace_expired(stored, form, settings)
      end

      def _replace_expired(stored, form, settings)
        found = @ccache.entry(stored)
        return false unless found.nil? || _item_of(found.value)&.expired?

        @ccache.set(stored, form, **settings, if_match: found&.etag)
        true
      rescue PreconditionFailed, CodecError # another one was faster; there is what nobody can read
        false
      end

      # One round trip.
      def write_multi_entries(entries, **options)
        return if entries.empty?

        forms = entries.to_h do |key, entry|
          [_stored_key(key), _kept(entry.value, entry.version, entry.expires_at, options)]
        end
        settings = { expires_in: _lifetime(options), **_policy_of(options) }
        _failsafe(:write_multi_entries) { @ccache.set_multi(forms, **settings) }
      rescue TooDeep # one of them; then nothing was written
        forms.each do |stored, form|
          _failsafe(:write_multi_entries, on: Failsafe::WRITE_FAILURES) { @ccache.set(stored, form, **settings) }
        end
      end

      def delete_entry(key, **_options)
        _failsafe(:delete_entry, returning: false) { @ccache.delete(_stored_key(key)) }
      end

      # One round trip.
      def delete_multi_entries(keys, **_options)
        _failsafe(:delete_multi_entries, returning: 0) do
          @ccache.delete_multi(*keys.map { |key| _stored_key(key) })
        end
      end
    end
  end
end
