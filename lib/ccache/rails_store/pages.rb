# frozen_string_literal: true

module Ccache
  module RailsStore
    # What controllers make pages and their tags of; see Railtie::ConditionalGet.
    #
    # @api private
    module Pages
      # The entry's tag, and the version that the caller wants: a page of another version
      # has another one. Brings no value from the server.
      #
      # @return [String, nil] nil if there is no entry, if the server does not answer, or if
      #   its value has to be looked at (`race_condition_ttl:`)
      def page_tag(name)
        options = merged_options(nil)
        return if _races?(options)

        _tag_of(etag(name), name, options)
      end

      # @return [Array(String, Object)] the same, with the value; nil twice without an entry
      def page_entry(name)
        options = merged_options(nil)
        stored = _stored_key(normalize_key(name, options))
        entry = _failsafe(:read_entry, on: Failsafe::READ_FAILURES) { @ccache.entry(stored) }
        item = entry && _item_of(entry.value)
        return [nil, nil] if entry.nil? || (item && !item.usable?(normalize_version(name, options)))

        [_tag_of(entry.etag, name, options), item ? item.value : entry.value]
      end

      private

      def _tag_of(etag, name, options)
        etag && PageTag.of([etag], normalize_version(name, options))
      end
    end
  end
end
