# frozen_string_literal: true

module Ccache
  module RailsStore
    # How `fetch` loads: what is there may be of another version, or have expired.
    class Load < Ccache::Store::Load
      # @return [String, nil] the etag of what this load is to replace, though others may
      #   have it for a while
      attr_accessor :replaced
      # @return [#call, nil] runs the write that it is given, within an event
      attr_accessor :writing
      # @return [Object, nil] what the block brought, as it is to be kept
      attr_accessor :form
      # @return [Exception, nil] why what was loaded is not on the server
      attr_reader :failure

      # @yieldparam value [Object] what is there
      # @yieldreturn [Boolean] whether it does
      def initialize(version:, policy:, skip_nil:, lock:, &usable)
        super(lifetime: nil, policy: policy, skip_nil: skip_nil, lock: lock)
        @version = version
        @usable = usable
        @has_begun = false
      end

      # Those who want another version wait for another load.
      def variant
        @version
      end

      def picky?
        true
      end

      def usable?(value, etag)
        etag != replaced && @usable.call(value)
      end

      # The block is run once, whatever happens.
      def begin!
        @has_begun = true
      end

      def begun?
        @has_begun
      end

      def around_write(&write)
        writing ? writing.call(write) : yield
      end

      def write_failed(error)
        @failure = error
      end
    end
  end
end
