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

        # See Store#write_value.
        def write_value(key, value, values, etag, lifetime, condition)
          key = steady(key)
          form = prepare(key, value, values, etag)
          raise refuse(key, form) if too_large?(form)

          put(key, form, etag, lifetime, condition_at_server(condition)) ||
            (condition.nil? ? put_over_unreadable(key, form, etag, lifetime) : nil)
        end

        # To the server, then into memory: the etag, or nil if the condition does not hold.
        # Yields if the server does not take it: a load then leaves others' loads of the key
        # their leases, since what it may have written is not newer than theirs.
        def put(key, form, etag, lifetime, condition)
          forgetting(key) do |done|
            etag, as_of = push(key, form.payload, etag, lifetime, *condition)
            next unless etag

            write(key, form.kept, form.is_encoded, etag, lifetime, :if_none_newer, as_of, form.weight)
            done.call
            etag
          rescue RemoteFailure
            if block_given?
              yield
              done.call unless held?(key)
            end
            raise
          end
        end

        # "Only if there is no entry" holds where there is something that nobody can read.
        def put_over_unreadable(key, form, etag, lifetime)
          found = read_for_fetch(key, nil, Freshness::NONE)
          put(key, form, etag, lifetime, found.condition) if Absent === found && found.header
        end

        def write_pairs(prepared, lifetime)
          return {} if prepared.empty?

          forgetting_all(prepared.keys) do |done|
            written = push_multi(prepared.map { |key, form| [key, form.payload] }, lifetime)
            prepared.zip(written) do |(key, form), (etag, as_of)|
              write(key, form.kept, form.is_encoded, etag, lifetime, :if_none_newer, as_of, form.weight)
            end
            done.call
            prepared.keys.zip(written.map(&:first)).to_h
          end
        end

        # What a write comes to, for memory and for the server.
        def prepare(key, value, values, etag)
          check(key, etag)
          Values.check(values)
          form = form_of(key, value, values, etag)
          form.weight = weight(key, value, form.payload)
          raise NotShareable.for(value) if frozen? && !form.is_encoded && !Ractor.shareable?(form.kept)

          form
        end

        def form_of(key, value, values, etag)
          payload = payload_of(key, value, etag)
          return Form.new(value, false, payload) if payload.is_a?(Integer)
          return Form.new(*keep_decoded(key, payload, values).drop(1), payload) unless @remote.coder.faithful?
          return Form.new(payload, true, payload) if values == :fresh || (values == :auto && !PlainData.check(value))

          Form.new(*Values.keep(value, values), payload)
        end

        def payload_of(key, value, etag)
          return value if etag.nil? && Integer === value && INTEGERS.cover?(value) && @remote.plain_integers?

          payload = dump(key, value)
          return payload if String === payload

          message = "the coder's dump returned a #{Error.class_of(payload)}, not a String"
          raise CodecError.for(message, server, key, false)
        end

        def dump(key, value)
          @remote.coder.dump(value)
        rescue *FOREIGN_ERRORS => e
          message = "the coder cannot dump a #{Error.class_of(value)}: #{Error.reason(e)}"
          raise CodecError.for(message, server, key, false), cause: Error.cause_of(e)
        end

        # From the in-process form of a condition.
        def condition_at_server(condition)
          case condition
          when true then [:always, nil]
          when nil then [:absent, nil]
          when Array then [:is_not, condition.first]
          else [:is, condition]
          end
        end

        # {Store#delete} with keywords.
        def delete_with(key, if_match: ANY)
          condition = condition(if_match)
          check(key, condition.is_a?(String) ? condition : nil)
          key = steady(key)
          return removing(key) { delete_at_server([key]).first } if condition == true

          deleted = removing(key) { delete_at_server_if(key, *condition_at_server(condition)) }
          deleted.nil? ? raise(PreconditionFailed.for(key, condition)) : deleted
        end
      end
    end
  end
end
