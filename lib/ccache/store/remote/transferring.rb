# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Values on their way from the server into memory.
      #
      # @api private
      module Transferring
        # See Store#private_copy: by the coder, which may know values that Marshal does not.
        def private_copy(value)
          return super if Integer === value || @remote.coder.faithful?

          decode(dump(nil, value), nil)
        end

        private

        # Brings the value, once per process. A caller that waited for that looks again,
        # since the request may be older than its own question; if that is no answer either
        # (the transfer failed, or memory does not keep the value), it brings the value itself.
        def transfer(key)
          key = unchanging(key)
          led, parts = Coalescer.current.once([self, key.b, :transfer]) { transfer_now(key) }
          return parts if led

          parts = look_entry(key, nil, 0, OUTCOMES)
          return parts unless Outcome === parts

          %i[gone leased].include?(parts.name) ? miss : transfer_now(key)
        end

        # If memory has the key, another transfer may have ended since this one's look.
        def transfer_now(key)
          parts = look_entry(key, nil, 0, OUTCOMES) if held?(key)
          return parts if parts && !(Outcome === parts)

          settle(key, *pull([key], OUTCOMES).first)
        end

        # What `pull` brought for a key, and what its string begins with.
        def settle(key, pulled, header)
          case pulled
          when Outcome then %i[gone leased].include?(pulled.name) ? miss : reject(key, pulled, header)
          when Exception then undecodable(key, pulled, header)
          else install(key, header, pulled)
          end
        end

        def undecodable(key, error, header)
          if error.is_a?(CodecError)
            error.header = header
            count(:undecodable)
            event(:undecodable, key, error)
          end
          raise error
        end

        # Keeps what came, and gives it as parts; unless memory has something newer, or
        # something was removed in this process meanwhile, which may be this.
        def install(key, header, pulled)
          payload, etag, lifetime, as_of, removals = pulled
          count(:transfers)
          value, kept, is_encoded = keep_decoded(key, payload, @values, header)
          write(key, kept, is_encoded, etag, lifetime, :if_none_newer, as_of, weight(key, value, payload))
          remove(key, etag) unless is_unremoved(removals)
          [value, etag, 0.0, lifetime&.fdiv(Seconds::NANOSECONDS), is_encoded]
        end

        # The value, what memory keeps of it, and whether that is the encoding.
        def keep_decoded(key, payload, values, header = nil)
          return [payload, payload, false] if payload.is_a?(Integer)

          value = load_payload(key, payload, header)
          return [value, payload, true] if encoded?(value, values)

          value = freeze_decoded(key, value) unless values == :shared && !frozen?
          [value, value, false]
        end

        def freeze_decoded(key, value)
          Ractor.make_shareable(value)
        rescue *FOREIGN_ERRORS => e
          message = "cannot freeze the #{Error.class_of(value)} that the coder loaded: #{Error.reason(e)}"
          raise CodecError.for(message, server, key, false)
        end

        # Whether memory keeps the encoding.
        def encoded?(value, values)
          values == :fresh || (values == :auto && !PlainData.plain?(value))
        end

        def load_payload(key, payload, header)
          load_by_coder(key, payload)
        rescue CodecError => e
          undecodable(key, e, header)
        end

        # See Store#decode.
        def decode(bytes, key)
          load_by_coder(key, bytes)
        rescue CodecError => e
          undecodable(key, e, nil)
        end

        def load_by_coder(key, bytes)
          @remote.coder.load(bytes)
        rescue *FOREIGN_ERRORS => e
          message = "#{server}: the coder cannot load a value: #{Error.reason(e)}"
          raise CodecError.for(message, server, key, false), cause: Error.cause_of(e)
        end
      end
    end
  end
end
