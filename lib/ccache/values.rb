# frozen_string_literal: true

module Ccache
  # Who owns what is stored: the `values:` policies.
  #
  # @api private
  module Values
    POLICIES = %i[shared frozen copied fresh auto].freeze

    class << self
      # @return [Symbol] the policy
      # @raise [InvalidOption]
      def check(policy)
        return policy if POLICIES.include?(policy)

        raise InvalidOption.for(:values, policy, "one of #{POLICIES.map(&:inspect).join(", ")}")
      end

      # @return [Array(Object, Boolean)] what the cache is to keep, and whether
      #   that is an encoding
      # @raise [InvalidValue] with the class of the value
      def keep(value, policy)
        case policy
        when :shared then [value, false]
        when :frozen then [freeze_deeply(value), false]
        when :copied then [copy_frozen(value), false]
        when :fresh then [encode(value), true]
        when :auto then PlainData.check(value) ? [copy_frozen(value), false] : [encode(value), true]
        end
      end

      # @return [Object] a private, mutable deep copy
      # @raise [InvalidValue]
      def copy_mutable(value)
        Marshal.load(encode(value)) # rubocop:disable Security/MarshalLoad -- dumped by this very line
      rescue InvalidValue
        raise
      rescue *FOREIGN_ERRORS => e
        raise InvalidValue.for(value, "copy", Error.reason(e)), cause: Error.cause_of(e)
      end

      private

      # A move: the object itself, frozen with all that it refers to, or an
      # error and nothing frozen. So a copy is tried first.
      def freeze_deeply(value)
        return value if Ractor.shareable?(value)

        Ractor.make_shareable(value, copy: true)
        Ractor.make_shareable(value)
      rescue *FOREIGN_ERRORS => e
        raise InvalidValue.for(value, "freeze", Error.reason(e)), cause: Error.cause_of(e)
      end

      # What is deeply frozen already is not copied.
      def copy_frozen(value)
        Ractor.make_shareable(value, copy: true)
      rescue *FOREIGN_ERRORS => e
        raise InvalidValue.for(value, "copy", Error.reason(e)), cause: Error.cause_of(e)
      end

      def encode(value)
        Marshal.dump(value)
      rescue *FOREIGN_ERRORS => e
        raise InvalidValue.for(value, "encode", Error.reason(e)), cause: Error.cause_of(e)
      end
    end
  end
end
