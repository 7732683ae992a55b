# frozen_string_literal: true

module Ccache
  module RailsStore
    # A server that does not answer is a miss, and told to the error handler.
    module Failsafe
      # What a server may do to a caller.
      FAILURES = [ConnectionError, TimeoutError, ServerError].freeze
      # What is on the server may be what this process cannot decode: a miss, too.
      READ_FAILURES = Ccache::READ_FAILURES
      # A value that is nested too deeply is not written, and a miss later.
      WRITE_FAILURES = [*FAILURES, TooDeep].freeze

      # The default handler: logs, and reports to Rails' error reporter (Rails 7.0).
      LOG = lambda do |method:, returning:, exception:|
        ActiveSupport::Cache::Store.logger&.error do
          "CcacheStore: #{method} failed, returned #{returning.inspect}: #{exception.class}: #{exception.message}"
        end
        if ActiveSupport.respond_to?(:error_reporter)
          ActiveSupport.error_reporter&.report(exception, handled: true, severity: :warning,
                                                          source: "ccache_store.active_support")
        end
      end

      private

      def _failsafe(method, returning: nil, on: FAILURES)
        yield
      rescue *on => e
        _failed(method, e, returning)
      end

      # What the handler raises is raised.
      #
      # @return [Object] returning
      def _failed(method, error, returning = nil)
        @_error_handler&.call(method: method, returning: returning, exception: error)
        returning
      end
    end
  end
end
