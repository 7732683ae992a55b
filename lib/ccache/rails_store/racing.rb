# frozen_string_literal: true

module Ccache
  module RailsStore
    # `race_condition_ttl:`, when `fetch` finds what expired a moment ago.
    module Racing
      private

      def _find_or_extend(stored, options, load)
        _failsafe(:read_entry, on: Failsafe::READ_FAILURES) do
          parts, absent = _find(stored, options, load)
          next [parts, absent] unless absent&.etag && _races?(options)

          _extend_life(stored, absent, options, load)
        end
      end

      # The first who finds an entry that expired a moment ago lets others have it for a
      # moment more, and makes the next one; see Rails' `race_condition_ttl:`.
      def _extend_life(stored, absent, options, load)
        item = _item_of(absent.value)
        seconds = options[:race_condition_ttl].to_i
        return [nil, absent] unless item&.expired? && Time.now.to_f - item.expires_at <= seconds

        form = _kept(item.value, item.version, Time.now.to_f + seconds, options)
        load.replaced = @ccache.set(stored, form, expires_in: seconds * 2, if_match: absent.etag)
        absent.etag = load.replaced
        [nil, absent]
      rescue PreconditionFailed # another one was faster
        _find(stored, options, load)
      end
    end
  end
end
