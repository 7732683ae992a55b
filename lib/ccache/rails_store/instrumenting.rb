# frozen_string_literal: true

module Ccache
  module RailsStore
    # Events and log lines are Rails' own, and made only if somebody wants them.
    module Instrumenting
      EVENTS = %i[read read_multi write write_multi fetch_hit generate delete delete_multi delete_matched exist?
                  increment decrement cleanup].to_h { |name| [name, -"cache_#{name}.active_support"] }.freeze

      private

      def instrument(operation, key, options = nil, &block)
        _quiet?(operation) ? block&.call({}) : super
      end

      # Since Rails 7.1.
      def instrument_multi(operation, keys, options = nil, &block)
        _quiet?(operation) ? block&.call({}) : super
      end

      # What Rails of this version names in an event.
      def _named(name, key)
        Version::EVENTS_CARRY_KEYS ? key : name
      end

      # Whether neither a subscriber nor the log wants to know.
      def _quiet?(operation)
        ((log = logger).nil? || !log.debug? || silence?) &&
          !ActiveSupport::Notifications.notifier.listening?(EVENTS[operation] || "cache_#{operation}.active_support")
      end
    end
  end
end
