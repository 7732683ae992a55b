# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Values on their way from the server into memory.
      #
      # @api private
      module Transferring
        private

        # Brings the value, once per process: who waited for that looks again, since the
        # request may be older than its own question.
        def transfer(key)
          key = unchanging(key)
          loop do
            led, parts = Coalescer.current.once([self, key.b, :transfer]) { transfer_now(key) }
            return parts if led

            parts = look_entry(key, nil, 0, OUTCOMES)
            return parts unless Outcome === parts
            return resolve(key, parts) unless parts.transfer?
          end
        end

        def transfer_now(key)
          settle(key, pull([key], OUTCOMES).first)
        end

        # What `pull` brought for a key.
        def settle(key, pulled)
          case pulled
          when Outcome then resolve(key, pulled)
          when Exception then undecodable(key, pulled)
          else install(key, *pulled)
          end
        end

        def undecodable(key, error)
          if error.is_a?(CodecError)
            count(:undecodable)
            event(:undecodable, key, error)
          end
          raise error
        end

        # Keeps what came, and gives it as parts. If something was removed in this
        # process meanwhile, it may be this: then it is not kept.
        def install(key, payload, etag, lifetime, as_of, removals)
          count(:transfers)
          value, kept, is_encoded = keep_decoded(key, payload, @values)
          write(key, kept, is_encoded, etag, lifetime, true, as_of)
          remove(key, true) unless is_unremoved(removals)
          [value, etag, 0.0, lifetime&.fdiv(Seconds::NANOSECONDS), is_encoded]
        end

        # The value, what memory keeps of it, and whether that is the encoding.
        def keep_decoded(key, payload, values)
          return [payload, payload, false] if payload.is_a?(Integer)

          value = load_payload(key, payload)
          return [value, payload, true] if encoded?(value, values)

          value = Ractor.make_shareable(value) unless values == :shared
          [value, value, false]
        end

        # Whether memory keeps the encoding.
        def encoded?(value, values)
          values == :fresh || (values == :auto && !PlainData.plain?(value))
        end

        def load_payload(key, payload)
          decode(payload)
        rescue CodecError => e
          undecodable(key, CodecError.for(e.message, server, key, false))
        end

        # For the native side, too.
        def decode(bytes)
          @remote.coder.load(bytes)
        rescue StandardError => e
          raise CodecError.for("#{server}: the coder cannot load a value: #{e.class}: #{e.message}", server, nil, false)
        end
      end
    end
  end
end
