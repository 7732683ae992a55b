# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Writes: to the server first, then into memory, which knows nothing of the key
      # if anything went wrong between.
      #
      # @api private
      module Writing
        # What memory keeps, whether that is the encoding, what goes to the server, and what memory
        # takes it to weigh.
        Form = Struct.new(:kept, :is_encoded, :payload, :weight)
        INTEGERS = (-(2**63)..((2**63) - 1))
        private_constant :Form

        private

        # See Store#_write_value.
        def _write_value(key, value, values, etag, lifetime, condition)
          key = _steady(key)
          form = _prepare(key, value, values, etag)
          raise _refuse(key, form) if _too_large?(form)

          _put(key, form, etag, lifetime, _condition_at_server(condition)) ||
            (condition.nil? ? _put_over_unreadable(key, form, etag, lifetime) : nil)
        end

        # To the server, then into memory: the etag, or nil if the condition does not hold.
        # Yields if the server does not take it: a load then leaves others' loads of the key
        # their leases, since what it may have written is not newer than theirs.
        def _put(key, form, etag, lifetime, condition)
          _forgetting(key) do |done|
            etag, as_of = _push(key, form.payload, etag, lifetime, *condition)
            next unless etag

            _write(key, form.kept, form.is_encoded, etag, lifetime, :if_none_newer, as_of, form.weight)
            done.call
            etag
          rescue RemoteFailure
            if block_given?
              yield
              done.call unless _held?(key)
            end
            raise
          end
        end

        # "Only if there is no entry" holds where there is something that nobody can read.
        def _put_over_unreadable(key, form, etag, lifetime)
          found = _read_for_fetch(key, nil, Freshness::NONE)
          _put(key, form, etag, lifetime, found.condition) if Absent === found && found.header
        end

        def _write_pairs(prepared, lifetime)
          return {} if prepared.empty?

          _forgetting_all(prepared.keys) do |done|
            written = _push_multi(prepared.map { |key, form| [key, form.payload] }, lifetime)
            prepared.zip(written) do |(key, form), (etag, as_of)|
              _write(key, form.kept, form.is_encoded, etag, lifetime, :if_none_newer, as_of, form.weight)
            end
            done.call
            prepared.keys.zip(written.map(&:first)).to_h
          end
        end

        # What a write comes to, for memory and for the server.
        def _prepare(key, value, values, etag)
          _check(key, etag)
          Values.check(values)
          form = _form_of(key, value, values, etag)
          form.weight = _weight(key, value, form.payload)
          raise NotShareable.for(value) if frozen? && !form.is_encoded && !Ractor.shareable?(form.kept)

          form
        end

        def _form_of(key, value, values, etag)
          payload = _payload_of(key, value, etag)
          return Form.new(value, false, payload) if payload.is_a?(Integer)
          return Form.new(*_keep_decoded(key, payload, values).drop(1), payload) unless @_remote.coder.faithful?
          return Form.new(payload, true, payload) if values == :fresh || (values == :auto && !PlainData.check(value))

          Form.new(*Values.keep(value, values), payload)
        end

        def _payload_of(key, value, etag)
          return value if etag.nil? && Integer === value && INTEGERS.cover?(value) && @_remote.plain_integers?

          payload = _dump(key, value)
          return payload if String === payload

          message = "the coder's dump returned a #{Error.class_of(payload)}, not a String"
          raise CodecError.for(message, _server, key, false)
        end

        def _dump(key, value)
          @_remote.coder.dump(value)
        rescue *FOREIGN_ERRORS => e
          message = "the coder cannot dump a #{Error.class_of(value)}: #{Error.reason(e)}"
          raise CodecError.for(message, _server, key, false), cause: Error.cause_of(e)
        end

        # From the in-process form of a condition.
        def _condition_at_server(condition)
          case condition
          when true then [:always, nil]
          when nil then [:absent, nil]
          when Array then [:is_not, condition.first]
          else [:is, condition]
          end
        end

        # {Store#delete} with keywords.
        def _delete_with(key, if_match: ANY)
          condition = _condition(if_match)
          _check(key, condition.is_a?(String) ? condition : nil)
          key = _steady(key)
          return _removing(key) { _delete_at_server([key]).first } if condition == true

          deleted = _removing(key) { _delete_at_server_if(key, *_condition_at_server(condition)) }
          deleted.nil? ? raise(PreconditionFailed.for(key, condition)) : deleted
        end
      end
    end
  end
end
