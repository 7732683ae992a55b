# frozen_string_literal: true

module Ccache
  class Store
    # For what is built upon a store, and has entries that are there and yet do not do:
    # of another version, say. {Store#fetch} in two steps.
    #
    # @api private
    module Embedding
      # A value that memory holds, as {Store#[]}; nil without a question to the server if
      # memory has none.
      def glance(key)
        _held?(key) ? self[key] : nil
      end

      # @param key [String, Symbol]
      # @param load [Load, nil] decides whether what is there does
      # @param values [:fresh, nil] as for {Store#get}; so are the others
      # @return [Array(Array, nil)] value, etag, age and time to live
      # @return [Array(nil, Absent)] what {#load_missing} is to know if there is none that does
      def seek(key, load = nil, values: nil, max_age: nil, stale_while_revalidate: nil, stale_if_error: nil)
        Values.check(values) if values
        freshness = _freshness(max_age, stale_while_revalidate, stale_if_error)
        parts = load ? _parts_for_fetch(key, freshness) : _read_parts(key, nil, freshness) || ABSENT
        return [nil, parts] if Absent === parts

        _judged(parts, load, values)
      end

      # As {Store#get_multi}; what cannot be decoded is not there.
      def seek_multi(keys, max_age: nil, stale_if_error: nil)
        freshness = _freshness(max_age, nil, stale_if_error)
        keys.each_with_object({}) do |key, found|
          value = _read_for_fetch(key, nil, freshness)
          found[key] = value unless Absent === value
        end
      end

      # Loads what was not found.
      #
      # @param key [String, Symbol]
      # @param load [Load]
      # @param absent [Absent, nil] what {#seek} said
      # @yieldparam load [Load]
      # @return [Object] the value, the loader's or another one's
      def load_missing(key, load, absent, &loader)
        _load_once(key, load, absent || ABSENT, &loader)
      end

      private

      def _judged(parts, load, values)
        value, etag, age, time_to_live, is_private = parts
        return [nil, Absent.new(nil, value, etag)] if load && !load.usable?(value, etag)

        [[is_private ? value : _for_reader(value, values), etag, age, time_to_live], nil]
      end
    end
  end
end
