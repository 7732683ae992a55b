# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Reads: from memory if the server says that it holds, else from the server,
      # decoded once per process.
      #
      # @api private
      module Reading
        private

        # Value, etag, age, time to live and whether the value is the caller's own; or nil.
        def read_parts(key, known, freshness)
          parts = find(key, known, freshness)
          Absent === parts ? nil : parts
        end

        # The value, or an Absent.
        def read_as(key, values, freshness)
          return value_of(find(key, nil, freshness), values) if values == :fresh || !freshness.plain?

          found = look(key, freshness.max_age, OUTCOMES)
          Outcome === found ? value_of(resolve(key, found), values) : found
        end

        # As `read_as`; what cannot be decoded is to be replaced.
        def read_for_fetch(key, values, freshness)
          read_as(key, values, freshness)
        rescue CodecError => e
          unreadable(key, e)
        end

        # As `find`; what cannot be decoded is to be replaced.
        def parts_for_fetch(key, freshness)
          find(key, nil, freshness)
        rescue CodecError => e
          unreadable(key, e)
        end

        def value_of(parts, values)
          return parts if Absent === parts

          value, _etag, _age, _time_to_live, is_private = parts
          values == :fresh && !is_private ? private_copy(value) : value
        end

        # The parts of an entry that is fresh enough, or an Absent.
        def find(key, known, freshness)
          parts = look_entry(key, known, freshness.with_revalidation, OUTCOMES)
          return resolve(key, parts) if Outcome === parts

          revalidate(key) if !parts[5] && freshness.revalidates?(parts[2])
          parts
        rescue ConnectionError, TimeoutError, ServerError => e
          find_after(e, key, known, freshness)
        end

        def find_after(error, key, known, freshness)
          parts = error.outage? && freshness.stale_if_error.positive? && read_stale(key, known)
          raise error unless parts && freshness.good_after_error?(parts[2])

          count(:stale)
          event(:stale, key, error)
          parts
        end

        # The entry in memory, unless it cannot be decoded.
        def read_stale(key, known)
          read_entry(key, known)
        rescue CodecError
          nil
        end

        def revalidate(key)
          count(:stale)
          key = unchanging(key)
          Revalidator.current.ask(self, key) { find(key, nil, Freshness::NONE) unless closed? }
        end

        # For the native `get` and `[]`, which have looked: the value, or nil.
        def get_otherwise(key, outcome)
          parts = resolve(key, OUTCOMES[outcome])
          Absent === parts ? nil : parts.first
        end

        # What an outcome comes to: the parts of the entry that the server has, or an Absent.
        def resolve(key, outcome)
          %i[gone leased].include?(outcome.name) ? miss : transfer(key)
        end

        # The etag of what memory does not have, or an Outcome, or nil.
        def unknown_tag(key)
          @remote.plain_integers? ? name_at_server(key, OUTCOMES) : entry(key)&.etag
        end

        def reject(key, outcome, header)
          count(outcome.name)
          event(outcome.name, key)
          miss(Absent.new(header))
        end

        def miss(absent = ABSENT)
          count(:misses)
          absent
        end

        # Each key with its value or an Absent, and whether there is none of those. A
        # block decides for what cannot be decoded.
        def read_multi(keys, freshness, &decide)
          return [{}, true] if keys.empty?

          keys = keys.map { |key| steady(key) }
          looked = look_multi(keys, freshness.max_age, OUTCOMES)
          return [looked, true] if looked.is_a?(Hash)

          bring(keys, looked, &decide)
          [keys.zip(looked).to_h, false]
        rescue ConnectionError, TimeoutError, ServerError => e
          [keys.to_h { |key| [key, find_after(e, key, nil, freshness).first] }, true]
        rescue CodecError => e
          raise unless decide

          [read_each(keys, freshness, e), false]
        end

        # One by one, since memory holds what cannot be decoded, of one key at least.
        def read_each(keys, freshness, error)
          keys.to_h do |key|
            [key, key.equal?(error.key) ? unreadable(key, error) : read_for_fetch(key, nil, freshness)]
          end
        end

        # Replaces the outcomes in `looked` by values and Absents.
        def bring(keys, looked, &decide)
          outcomes = keys.each_index.select { |index| Outcome === looked[index] }
          gone, wanted = outcomes.partition { |index| %i[gone leased].include?(looked[index].name) }
          gone.each { |index| looked[index] = miss }
          brought = wanted.empty? ? [] : pull(wanted.map { |index| keys[index] }, OUTCOMES)
          wanted.zip(brought) { |index, one| looked[index] = settled(keys[index], one, &decide) }
        end

        def settled(key, pulled)
          parts = settle(key, *pulled)
          Absent === parts ? parts : parts.first
        rescue CodecError => e
          block_given? ? yield(e) : raise
        end
      end
    end
  end
end
