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
        def _read_parts(key, known, freshness)
          parts = _find(key, known, freshness)
          Absent === parts ? nil : parts
        end

        # The value, or an Absent.
        def _read_as(key, values, freshness)
          return _value_of(_find(key, nil, freshness), values) if values == :fresh || !freshness.plain?

          found = _look(key, freshness.max_age, OUTCOMES)
          Outcome === found ? _value_of(_resolve(key, found), values) : found
        end

        # As `read_as`; what cannot be decoded is to be replaced.
        def _read_for_fetch(key, values, freshness)
          _read_as(key, values, freshness)
        rescue CodecError => e
          _unreadable(key, e)
        end

        # As `find`; what cannot be decoded is to be replaced.
        def _parts_for_fetch(key, freshness)
          _find(key, nil, freshness)
        rescue CodecError => e
          _unreadable(key, e)
        end

        def _value_of(parts, values)
          return parts if Absent === parts

          value, _etag, _age, _time_to_live, is_private = parts
          values == :fresh && !is_private ? _private_copy(value) : value
        end

        # The parts of an entry that is fresh enough, or an Absent.
        def _find(key, known, freshness)
          parts = _look_entry(key, known, freshness.with_revalidation, OUTCOMES)
          return _resolve(key, parts) if Outcome === parts

          _revalidate(key) if !parts[5] && freshness.revalidates?(parts[2])
          parts
        rescue ConnectionError, TimeoutError, ServerError => e
          _find_after(e, key, known, freshness)
        end

        def _find_after(error, key, known, freshness)
          parts = error.outage? && freshness.stale_if_error.positive? && _read_stale(key, known)
          raise error unless parts && freshness.good_after_error?(parts[2])

          _count(:stale)
          _event(:stale, key, error)
          parts
        end

        # The entry in memory, unless it cannot be decoded.
        def _read_stale(key, known)
          _read_entry(key, known)
        rescue CodecError
          nil
        end

        def _revalidate(key)
          _count(:stale)
          key = _unchanging(key)
          Revalidator.current.ask(self, key) { _find(key, nil, Freshness::NONE) unless closed? }
        end

        # For the native `get` and `[]`, which have looked: the value, or nil.
        def _get_otherwise(key, outcome)
          parts = _resolve(key, OUTCOMES[outcome])
          Absent === parts ? nil : parts.first
        end

        # What an outcome comes to: the parts of the entry that the server has, or an Absent.
        def _resolve(key, outcome)
          %i[gone leased].include?(outcome.name) ? _miss : _transfer(key)
        end

        # The etag of what memory does not have, or an Outcome, or nil.
        def _unknown_tag(key)
          @_remote.plain_integers? ? _name_at_server(key, OUTCOMES) : entry(key)&.etag
        end

        def _reject(key, outcome, header)
          _count(outcome.name)
          _event(outcome.name, key)
          _miss(Absent.new(header))
        end

        def _miss(absent = ABSENT)
          _count(:misses)
          absent
        end

        # Each key with its value or an Absent, and whether there is none of those. A
        # block decides for what cannot be decoded.
        def _read_multi(keys, freshness, &decide)
          return [{}, true] if keys.empty?

          keys = keys.map { |key| _steady(key) }
          looked = _look_multi(keys, freshness.max_age, OUTCOMES)
          return [looked, true] if looked.is_a?(Hash)

          _bring(keys, looked, &decide)
          [keys.zip(looked).to_h, false]
        rescue ConnectionError, TimeoutError, ServerError => e
          [keys.to_h { |key| [key, _find_after(e, key, nil, freshness).first] }, true]
        rescue CodecError => e
          raise unless decide

          [_read_each(keys, freshness, e), false]
        end

        # One by one, since memory holds what cannot be decoded, of one key at least.
        def _read_each(keys, freshness, error)
          keys.to_h do |key|
            [key, key.equal?(error.key) ? _unreadable(key, error) : _read_for_fetch(key, nil, freshness)]
          end
        end

        # Replaces the outcomes in `looked` by values and Absents.
        def _bring(keys, looked, &decide)
          outcomes = keys.each_index.select { |index| Outcome === looked[index] }
          gone, wanted = outcomes.partition { |index| %i[gone leased].include?(looked[index].name) }
          gone.each { |index| looked[index] = _miss }
          brought = wanted.empty? ? [] : _pull(wanted.map { |index| keys[index] }, OUTCOMES)
          wanted.zip(brought) { |index, one| looked[index] = _settled(keys[index], one, &decide) }
        end

        def _settled(key, pulled)
          parts = _settle(key, *pulled)
          Absent === parts ? parts : parts.first
        rescue CodecError => e
          block_given? ? yield(e) : raise
        end
      end
    end
  end
end
