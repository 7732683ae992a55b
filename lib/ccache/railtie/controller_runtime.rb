# frozen_string_literal: true

module Ccache
  class Railtie < ::Rails::Railtie
    # The part of a request's log line that is ours: `Ccache: 12 reads (11 not modified,
    # 1 loaded), 0.4ms`. Reads of all stores by the request's thread; loads by a server or
    # a block; and the time in which the thread waited for servers, which is taken out of
    # `Views:` as the database's is.
    module ControllerRuntime
      extend ActiveSupport::Concern

      # @api private
      module ClassMethods
        def log_process_action(payload)
          messages = super
          messages << "Ccache: #{payload[:ccache]}" if payload[:ccache]&.any?
          messages
        end
      end

      included { Tally.keep }

      private

      # @return [Tally::Counts] of this action, up to now
      def ccache_counts
        @_ccache_counts = @_ccache_counts ? @_ccache_counts + Tally.take_counts : Tally.take_counts
      end

      def process_action(*)
        Notifications.publish_if_wanted
        Tally.take # what the middleware did
        super
      end

      def cleanup_view_runtime
        before = ccache_counts.milliseconds
        runtime = super
        runtime - (ccache_counts.milliseconds - before)
      end

      def append_info_to_payload(payload)
        super
        payload[:ccache] = ccache_counts
      end
    end
  end
end
