# frozen_string_literal: true

module Ccache
  module Notifications
    # Publishes what blocks load; prepended.
    #
    # @api private
    module OfLoads
      private

      def _run_loader(key, load, condition, &loader)
        return super unless Notifications.wanted?("load.ccache")

        Notifications.instrument("load.ccache", key: key, from: :block) do |payload|
          super.tap { |loaded| payload[:etag] = loaded.etag }
        end
      end
    end
  end
end
