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
    # @param object [BasicObject]
    # @return [Boolean] whether object and all that it refers to is plain data
    def self.plain?(object)
      Walk.leaf?(object) || Walk.new.plain?(object)
    end

    # For writes: the same.
    #
    # @api private
    # @raise [InvalidValue] there is an object without any method of Object's, which nobody can
    #   tell anything of
    def self.check(value)
      return true if Walk.leaf?(value)

      walk = Walk.new
      is_plain = walk.plain?(value)
      return is_plain unless walk.met_basic

      raise InvalidValue.for(value, "keep", "it is, or refers to, a BasicObject; say values: :shared or :fresh")
    end

    # One look at an object graph, cycles included. What is still to be looked at stands in an
    # Array: data may be nested deeper than a fiber's stack. No method is called that a
    # BasicObject lacks. (No UnboundMethod stands in a constant: other Ractors could not read it.)
    #
    # @api private
    class Walk
      class << self
        # @return [Boolean] whether it is plain data that refers to nothing
        def leaf?(object)
          case object
          when NilClass, TrueClass, FalseClass, Symbol, Numeric then true
          when String then object.instance_of?(String)
          when Object then time?(object) || date?(object)
          else false # a BasicObject
          end
        end

        private

        # Active Support's `Time.===` asks the object.
        def time?(object)
          Time === object && object.instance_of?(Time)
        end

        def date?(object)
          return false unless defined?(::Date) && ::Date === object

          [::Date, ::DateTime].include?(object.class)
        end
      end

      # @return [Boolean] whether there is an object that has not even `is_a?`
      attr_reader :met_basic

      def initialize
        @met_basic = false
        @seen = {}.compare_by_identity
        @pending = []
      end

      def plain?(object)
        @pending << object
        until @pending.empty?
          object = @pending.pop
          next if @seen[object]

          @seen[object] = true
          parts = parts(object)
          return not_plain(object) unless parts

          parts.each { |part| @pending << part unless Walk.leaf?(part) }
        end
        true
      end

      private

      def not_plain(object)
        @met_basic = !(Object === object) && !Error.class_of(object).method_defined?(:is_a?)
        false
      end

      # Nil if it is no plain data.
      def parts(object)
        case object
        when Array, Set, Range, Hash then parts_of_core(object)
        when Struct then Struct.instance_method(:to_a).bind_call(object)
        when PlainData then variables(object)
        when NewerRuby::DATA then NewerRuby::DATA.instance_method(:to_h).bind_call(object).values
        end
      end

      # A subclass may be anything.
      def parts_of_core(object)
        kind = object.class
        if kind.equal?(Array) then object
        elsif kind.equal?(Set) then object.to_a
        elsif kind.equal?(Range) then [object.begin, object.end]
        elsif kind.equal?(Hash) && object.default_proc.nil?
          [object.default].concat(object.keys, object.values)
        end
      end

      def variables(object)
        names = Kernel.instance_method(:instance_variables).bind_call(object)
        names.map { |name| Kernel.instance_method(:instance_variable_get).bind_call(object, name) }
      end
    end
    private_constant :Walk
  end
end
