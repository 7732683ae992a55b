# frozen_string_literal: true

module Ccache
  module Notifications
    # Publishes what servers answer; prepended to what a store with a server is extended by.
    #
    # @api private
    module OfServers
      # The native ones would publish nothing.
      def get(key, **options)
        _get_with(key, **options)
      end

      def [](key)
        _get_with(key)
      end

      private

      def _look_entry(key, known, max_age, outcomes)
        return super unless _validates?(key)

        _validating(key, -> { super }) { |parts| parts[1] if parts.is_a?(Array) && parts[5] }
      end

      def _look(key, max_age, outcomes)
        return super unless _validates?(key)

        parts = _look_entry(key, nil, max_age, outcomes)
        parts.is_a?(Array) ? parts.first : parts
      end

      def _tag_at_server(key, outcomes)
        return super unless Notifications.wanted?("validate.ccache")

        _validating(key, -> { super }) { |found| found if found.is_a?(String) }
      end

      def _look_multi(keys, max_age, outcomes)
        return super unless Notifications.wanted?("validate.ccache")

        Notifications.instrument("validate.ccache", key: keys) do |payload|
          super.tap { |found| payload[:not_modified] = found.is_a?(Hash) }
        end
      end

      def _transfer_now(key)
        return super unless Notifications.wanted?("load.ccache")

        Notifications.instrument("load.ccache", key: key, from: :server) do |payload|
          super.tap { |parts| payload[:etag] = parts[1] if parts.is_a?(Array) }
        end
      end

      # Nil if the server fails now: the read has its answer.
      def _spared(key)
        _spared_bytes(key)
      rescue RemoteFailure
        nil
      end

      def _validates?(key)
        Notifications.wanted?("validate.ccache") && _held?(key)
      end

      # The block tells the etag from the answer, if that is "not modified".
      def _validating(key, ask)
        Notifications.instrument("validate.ccache", key: key) do |payload|
          answer = ask.call
          payload[:asked] = !answer.is_a?(Array) || answer[5]
          payload[:etag] = etag = yield(answer)
          payload[:not_modified] = !etag.nil?
          payload[:bytes] = etag ? _spared(key) : 0
          answer
        end
      end
    end
  end
end
