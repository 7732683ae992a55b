# frozen_string_literal: true

module Ccache
  module Notifications
    # Publishes what goes wrong between a store and its server; prepended to what a store
    # with a server is extended by.
    #
    # @api private
    module OfFailures
      # Whatever asks the server, and may fail.
      ASKING = %i[look look_entry look_multi tag_at_server name_at_server pull push push_multi delete_at_server
                  delete_at_server_if increment_at_server lease_at_server clear_step].freeze

      private

      # By text, since a method that is made of a block belongs to its Ractor.
      ASKING.each do |name|
        class_eval <<~RUBY, __FILE__, __LINE__ + 1
          def _#{name}(*)                                          # def _look(*)
            started = _milliseconds                                #   started = _milliseconds
            super                                                  #   super
          rescue RemoteFailure => e                                # rescue RemoteFailure => e
            _publish(:#{name}, e.key, e, _milliseconds - started)  #   _publish(:look, e.key, e, _milliseconds - started)
            raise                                                  #   raise
          end                                                      # end
        RUBY
      end

      # What is told to `on_event:`.
      def _event(name, key, error = nil, **)
        super
        _publish(name, key, error, 0.0)
      end

      def _publish(reason, key, error, duration)
        return unless Notifications.wanted?("error.ccache")

        Notifications.instrument("error.ccache", key: key, reason: reason, error: error, server: _server,
                                                 duration: duration)
      end

      def _milliseconds
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :float_millisecond)
      end
    end
  end
end
