# frozen_string_literal: true

module Ccache
  module RailsStore
    # `race_condition_ttl:`, when `fetch` finds what expired a moment ago.
    module Racing
      private

      def find_or_extend(stored, options, load)
        failsafe(:read_entry, on: Failsafe::READ_FAILURES) do
          parts, absent = find(stored, options, load)
          next [parts, absent] unless absent&.etag && races?(options)

          extend_life(stored, absent, options, load)
        end
      end

      # The first who finds an entry that expired a moment ago lets others have it for a
      # moment more, and makes the next one; see Rails' `race_condition_ttl:`.
      def extend_life(stored, absent, options, load)
        item = item_of(absent.value)
        seconds = options[:race_condition_ttl].to_i
        return [nil, absent] unless item&.expired? && Time.now.to_f - item.expires_at <= seconds

        form = kept(item.value, item.version, Time.now.to_f + seconds, options)
        load.replaced = @ccache.set(stored, form, expires_in: seconds * 2, if_match: absent.etag)
        absent.etag = load.replaced
        [nil, absent]
      rescue PreconditionFailed # another one was faster
        find(stored, options, load)
      end
    end
  end
end
