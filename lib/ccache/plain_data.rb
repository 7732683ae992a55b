# frozen_string_literal: true

require "set"

module Ccache
  # What `values: :auto` copies and shares: strings, numbers, symbols, times,
  # ranges, and arrays, hashes, sets and structs of these.
  #
  # A class of value objects opts in by including this module; its instance
  # variables have to hold plain data, too.
  #
  # @example
  #   class Money
  #     include Ccache::PlainData
  #   end
  module PlainData
    # @param object [Object]
    # @return [Boolean] whether object and all that it refers to is plain data
    def self.plain?(object)
      Walk.new.plain?(object)
    end

    # One look at an object graph, cycles included.
    #
    # @api private
    class Walk
      LEAVES = [NilClass, TrueClass, FalseClass, Symbol, String, Time].freeze

      def initialize
        @seen = nil
      end

      def plain?(object)
        return true if LEAVES.include?(object.class) || object.is_a?(Numeric)

        date?(object) || (container?(object) && (seen?(object) || parts(object).all? { |part| plain?(part) }))
      end

      private

      def date?(object)
        defined?(::Date) ? object.instance_of?(::Date) || object.instance_of?(::DateTime) : false
      end

      def container?(object)
        case object
        when Array, Set, Range then [Array, Set, Range].include?(object.class)
        when Hash then object.instance_of?(Hash) && object.default_proc.nil?
        else object.is_a?(Struct) || object.is_a?(PlainData) || object.is_a?(NewerRuby::DATA)
        end
      end

      def parts(object)
        case object
        when Array, Set then object
        when Hash then [object.default, *object.keys, *object.values]
        when Range then [object.begin, object.end]
        when Struct then object.to_a
        when PlainData then object.instance_variables.map { |name| object.instance_variable_get(name) }
        else object.to_h.values
        end
      end

      # True if the object was met before: it is being looked at.
      def seen?(object)
        @seen ||= {}.compare_by_identity
        return true if @seen[object]

        @seen[object] = true
        false
      end
    end
    private_constant :Walk
  end
end
