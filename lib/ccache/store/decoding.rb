# frozen_string_literal: true

module Ccache
  class Store
    # Encoded values that memory keeps, and copies of those that it keeps as objects.
    #
    # A value that cannot be decoded (its class is gone, or has changed) is a {CodecError}
    # for who asks for it; for {Store#fetch} it is not there, and the next load replaces it.
    #
    # @api private
    module Decoding
      # @return [Object] a private, mutable deep copy, by what encodes this store's values
      # @raise [InvalidValue, CodecError]
      def _private_copy(value)
        Values.copy_mutable(value)
      end

      private

      # Whether {Store#update} takes what the block returns. The draft may be a BasicObject.
      def _frozen_draft?(draft)
        Kernel.instance_method(:frozen?).bind_call(draft)
      end

      # For the native side, too, where a coder encoded the bytes.
      def _decode(bytes, key)
        Marshal.load(bytes) # rubocop:disable Security/MarshalLoad -- dumped by Values.keep
      rescue *FOREIGN_ERRORS => e
        _undecoded(e, key)
      end

      # For the native side: Marshal raised `error`.
      def _undecoded(error, key)
        case error when *FOREIGN_ERRORS then nil else raise error end

        failure = CodecError.for("cannot load a value from memory: #{Error.reason(error)}", nil, key, false)
        _event(:undecodable, key, failure)
        raise failure, cause: Error.cause_of(error)
      end

      # As `read_as`; what cannot be decoded is to be replaced. A hit pays for no more calls.
      def _read_for_fetch(key, values, _freshness)
        values == :fresh ? _read_fresh(key) : _read(key, ABSENT)
      rescue CodecError => e
        _unreadable(key, e)
      end

      # As `read_parts`, or an Absent; what cannot be decoded is to be replaced.
      def _parts_for_fetch(key, freshness)
        _read_parts(key, nil, freshness) || ABSENT
      rescue CodecError => e
        _unreadable(key, e)
      end

      # An Absent for what is there and cannot be decoded: what is loaded may replace it.
      def _unreadable(key, error)
        error.header ? Absent.new(error.header) : Absent.new(nil, nil, _held_etag(key), true)
      end

      # "Only if there is no entry" holds where there is one that nobody can read: its etag, if so.
      def _unreadable_etag(key)
        found = _read_for_fetch(key, nil, Freshness::NONE)
        found.etag if Absent === found
      end
    end
  end
end
