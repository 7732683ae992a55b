# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Values on their way from the server into memory.
      #
      # @api private
      module Transferring
        # See Store#_private_copy: by the coder, which may know values that Marshal does not.
        def _private_copy(value)
          return super if Integer === value || @_remote.coder.faithful?

          _decode(_dump(nil, value), nil)
        end

        private

        # Brings the value, once per process. A caller that waited for that looks again,
        # since the request may be older than its own question; if that is no answer either
        # (the transfer failed, or memory does not keep the value), it brings the value itself.
        def _transfer(key)
          key = _unchanging(key)
          led, parts = Coalescer.current.once([self, key.b, :transfer]) { _transfer_now(key) }
          return parts if led

          parts = _look_entry(key, nil, 0, OUTCOMES)
          return parts unless Outcome === parts

          %i[gone leased].include?(parts.name) ? _miss : _transfer_now(key)
        end

        # If memory has the key, another transfer may have ended since this one's look.
        def _transfer_now(key)
          parts = _look_entry(key, nil, 0, OUTCOMES) if _held?(key)
          return parts if parts && !(Outcome === parts)

          _settle(key, *_pull([key], OUTCOMES).first)
        end

        # What `pull` brought for a key, and what its string begins with.
        def _settle(key, pulled, header)
          case pulled
          when Outcome then %i[gone leased].include?(pulled.name) ? _miss : _reject(key, pulled, header)
          when Exception then _undecodable(key, pulled, header)
          else _install(key, header, pulled)
          end
        end

        def _undecodable(key, error, header)
          if error.is_a?(CodecError)
            error.header = header
            _count(:undecodable)
            _event(:undecodable, key, error)
          end
          raise error
        end

        # Keeps what came, and gives it as parts; unless memory has something newer, or
        # something was removed in this process meanwhile, which may be this.
        def _install(key, header, pulled)
          payload, etag, lifetime, as_of, removals = pulled
          _count(:transfers)
          value, kept, is_encoded = _keep_decoded(key, payload, @_values, header)
          _write(key, kept, is_encoded, etag, lifetime, :if_none_newer, as_of, _weight(key, value, payload))
          _remove(key, etag) unless _is_unremoved(removals)
          [value, etag, 0.0, lifetime&.fdiv(Seconds::NANOSECONDS), is_encoded]
        end

        # The value, what memory keeps of it, and whether that is the encoding.
        def _keep_decoded(key, payload, values, header = nil)
          return [payload, payload, false] if payload.is_a?(Integer)

          value = _load_payload(key, payload, header)
          return [value, payload, true] if _encoded?(value, values)

          value = _freeze_decoded(key, value) unless values == :shared && !frozen?
          [value, value, false]
        end

        def _freeze_decoded(key, value)
          Ractor.make_shareable(value)
        rescue *FOREIGN_ERRORS => e
          message = "cannot freeze the #{Error.class_of(value)} that the coder loaded: #{Error.reason(e)}"
          raise CodecError.for(message, _server, key, false)
        end

        # Whether memory keeps the encoding.
        def _encoded?(value, values)
          values == :fresh || (values == :auto && !PlainData.plain?(value))
        end

        def _load_payload(key, payload, header)
          _load_by_coder(key, payload)
        rescue CodecError => e
          _undecodable(key, e, header)
        end

        # See Store#_decode.
        def _decode(bytes, key)
          _load_by_coder(key, bytes)
        rescue CodecError => e
          _undecodable(key, e, nil)
        end

        def _load_by_coder(key, bytes)
          @_remote.coder.load(bytes)
        rescue *FOREIGN_ERRORS => e
          message = "#{_server}: the coder cannot load a value: #{Error.reason(e)}"
          raise CodecError.for(message, _server, key, false), cause: Error.cause_of(e)
        end
      end
    end
  end
end
