# frozen_string_literal: true

module Ccache
  module Notifications
    # Publishes what servers answer; prepended to what a store with a server is extended by.
    #
    # @api private
    module OfServers
      # The native ones would publish nothing.
      def get(key, **options)
        get_with(key, **options)
      end

      def [](key)
        get_with(key)
      end

      private

      def look_entry(key, known, max_age, outcomes)
        return super unless validates?(key)

        validating(key, -> { super }) { |parts| parts[1] if parts.is_a?(Array) && parts[5] }
      end

      def look(key, max_age, outcomes)
        return super unless validates?(key)

        parts = look_entry(key, nil, max_age, outcomes)
        parts.is_a?(Array) ? parts.first : parts
      end

      def tag_at_server(key, outcomes)
        return super unless Notifications.wanted?("validate.ccache")

        validating(key, -> { super }) { |found| found if found.is_a?(String) }
      end

      def look_multi(keys, max_age, outcomes)
        return super unless Notifications.wanted?("validate.ccache")

        Notifications.instrument("validate.ccache", key: keys) do |payload|
          super.tap { |found| payload[:not_modified] = found.is_a?(Hash) }
        end
      end

      def transfer_now(key)
        return super unless Notifications.wanted?("load.ccache")

        Notifications.instrument("load.ccache", key: key, from: :server) do |payload|
          super.tap { |parts| payload[:etag] = parts[1] if parts.is_a?(Array) }
        end
      end

      # Nil if the server fails now: the read has its answer.
      def spared(key)
        spared_bytes(key)
      rescue RemoteFailure
        nil
      end

      def validates?(key)
        Notifications.wanted?("validate.ccache") && held?(key)
      end

      # The block tells the etag from the answer, if that is "not modified".
      def validating(key, ask)
        Notifications.instrument("validate.ccache", key: key) do |payload|
          answer = ask.call
          payload[:asked] = !answer.is_a?(Array) || answer[5]
          payload[:etag] = etag = yield(answer)
          payload[:not_modified] = !etag.nil?
          payload[:bytes] = etag ? spared(key) : 0
          answer
        end
      end
    end
  end
end
