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
        rescue CodecError
          UNDECODABLE
        end

        def value_of(parts, values)
          return parts if Absent === parts

          value, _etag, _age, _time_to_live, is_private = parts
          values == :fresh && !is_private ? Values.copy_mutable(value) : value
        end

        # The parts of an entry that is fresh enough, or an Absent.
        def find(key, known, freshness)
          parts = look_entry(key, known, freshness.with_revalidation, OUTCOMES)
          return resolve(key, parts) if Outcome === parts

          revalidate(key) if freshness.revalidates?(parts[2])
          parts
        rescue ConnectionError, TimeoutError, ServerError => e
          find_after(e, key, known, freshness)
        end

        def find_after(error, key, known, freshness)
          parts = error.retriable? && freshness.stale_if_error.positive? && read_entry(key, known)
          raise error unless parts && freshness.good_after_error?(parts[2])

          count(:stale)
          event(:stale, key, error)
          parts
        end

        def revalidate(key)
          count(:stale)
          key = unchanging(key)
          Revalidator.current.ask(self, key) { find(key, nil, Freshness::NONE) unless closed? }
        end

        # What an outcome comes to: the parts of the entry that the server has, or an Absent.
        def resolve(key, outcome)
          return transfer(key) if outcome.transfer?

          %i[gone leased].include?(outcome.name) ? miss(ABSENT) : reject(key, outcome)
        end

        def reject(key, outcome)
          count(outcome.name)
          event(outcome.name, key)
          miss(REJECTED)
        end

        def miss(absent)
          count(:misses)
          absent
        end

        # Each key with its value or an Absent. A block decides for what cannot be decoded.
        def read_multi(keys, freshness)
          return {} if keys.empty?

          looked = look_multi(keys, freshness.max_age, OUTCOMES)
          return looked if looked.is_a?(Hash)

          bring(keys, looked) { |error| block_given? ? yield : raise(error) }
          keys.zip(looked).to_h
        rescue ConnectionError, TimeoutError, ServerError => e
          keys.to_h { |key| [key, find_after(e, key, nil, freshness).first] }
        end

        # Replaces the outcomes in `looked` by values and Absents.
        def bring(keys, looked, &decide)
          wanted = keys.each_index.select { |index| Outcome === looked[index] }
          missing = wanted.select { |index| looked[index].transfer? }
          brought = missing.empty? ? [] : pull(keys.values_at(*missing), OUTCOMES)
          missing.zip(brought) { |index, one| looked[index] = one }
          settle_all(keys, looked, wanted, &decide)
        end

        def settle_all(keys, looked, wanted)
          wanted.each do |index|
            parts = settle(keys[index], looked[index])
            looked[index] = Absent === parts ? parts : parts.first
          rescue CodecError => e
            looked[index] = yield e
          end
        end
      end
    end
  end
end
