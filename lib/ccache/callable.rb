# frozen_string_literal: true

module Ccache
  # Options that are something to call.
  #
  # @api private
  module Callable
    # @param signature [String] for the message: how it will be called
    # @return [#call, nil] the callable
    # @raise [InvalidOption]
    def self.check(name, callable, signature)
      return callable if callable.nil? || callable.respond_to?(:call)

      raise InvalidOption.for(name, callable, "an object with #{signature}, or nil")
    end
  end
end
