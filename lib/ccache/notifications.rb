# frozen_string_literal: true

require "active_support"
require "active_support/notifications"
require_relative "notifications/of_failures"
require_relative "notifications/of_loads"
require_relative "notifications/of_servers"

module Ccache
  # Events of all stores for ActiveSupport::Notifications. In Rails they are there as
  # soon as somebody subscribes; elsewhere call {publish}.
  #
  # - `validate.ccache`: a server was asked whether a copy holds. `key`, `etag`,
  #   `not_modified`, and `bytes` that did not have to come; `asked` is false if memory was
  #   fresh enough.
  # - `load.ccache`: a value was fetched `from` a `:server` or a `:block`. `key`, and its
  #   `etag`, nil if there is none.
  # - `error.ccache`: a server failed, or holds what is not read. `key`, `error`, `reason`
  #   (a method's name, or the event's name for `on_event:`), `server`.
  #
  # The event's duration is that of what it tells of; an error's is in its payload, as
  # `duration`, in milliseconds. `key` is an Array for many keys at once.
  #
  # Until {publish} stores have none of the methods that publish. From then on an event is
  # made only if somebody listens to it. One that listens to `validate.ccache` pays for
  # `bytes` with one small question per validation.
  module Notifications
    # What may be subscribed to.
    NAMES = %w[validate.ccache load.ccache error.ccache].freeze
    # Other Ractors than this one have no subscribers.
    MAIN = Ractor.current
    private_constant :MAIN

    class << self
      # From now on events are published. May be called again.
      #
      # @return [void]
      def publish
        return if @is_publishing

        Store::Loading.prepend(OfLoads)
        Store::Remote.prepend(OfFailures)
        Store::Remote.prepend(OfServers)
        @is_publishing = true # last: what an interrupt leaves out is done by the next call
      end

      # The same, if somebody listens to one of them.
      #
      # @return [void]
      def publish_if_wanted
        publish if !@is_publishing && NAMES.any? { |name| wanted?(name) }
      end

      # @api private
      def wanted?(name)
        Ractor.current.equal?(MAIN) && ActiveSupport::Notifications.notifier.listening?(name)
      end

      # @api private
      def instrument(name, **payload, &block)
        ActiveSupport::Notifications.instrument(name, payload, &block)
      end
    end
  end
end
