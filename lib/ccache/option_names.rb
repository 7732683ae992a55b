# frozen_string_literal: true

module Ccache
  # The names of options, as Symbols or Strings: what is read from a file of settings, or is a
  # HashWithIndifferentAccess, has Strings.
  #
  # @api private
  module OptionNames
    # @param given [Hash]
    # @return [Hash{Symbol => Object}] a plain Hash
    # @raise [InvalidOption] if a name stands there twice
    def self.symbols(given)
      given.each_with_object({}) do |(name, value), named|
        name = name.to_sym if name.is_a?(String)
        raise InvalidOption.twice(name) if named.key?(name)

        named[name] = value
      end
    end

    # @param given [Hash]
    # @param accepted [Array<Symbol>]
    # @return [Hash{Symbol => Object}] the same, with Symbols
    # @raise [InvalidOption] with the names that there are
    def self.check(given, accepted)
      named = symbols(given)
      unknown = named.keys - accepted
      raise InvalidOption.unknown(unknown, accepted) unless unknown.empty?

      named
    end
  end
end
