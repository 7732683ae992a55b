# frozen_string_literal: true

module Ccache
  # How old an answer from memory may be: `max_age:` (RFC 9111),
  # `stale_while_revalidate:` and `stale_if_error:` (RFC 5861). In nanoseconds;
  # 0 everywhere by default, so that each read asks the server.
  #
  # @api private
  class Freshness
    NAMES = %i[max_age stale_while_revalidate stale_if_error].freeze

    attr_reader :max_age, :stale_while_revalidate, :stale_if_error

    # All in seconds; what is nil is as in `defaults`.
    #
    # @raise [InvalidOption]
    def initialize(max_age, stale_while_revalidate, stale_if_error, defaults = nil)
      given = [max_age, stale_while_revalidate, stale_if_error]
      @max_age, @stale_while_revalidate, @stale_if_error = NAMES.zip(given).map do |name, seconds|
        seconds ? Seconds.to_nanoseconds(seconds, name) : (defaults&.public_send(name) || 0)
      end
      freeze
    end

    # As old as this an answer may be while it is validated behind the caller's back.
    def with_revalidation
      max_age + stale_while_revalidate
    end

    # Whether an answer of this age is to be validated later.
    #
    # @param age [Float] in seconds
    def revalidates?(age)
      stale_while_revalidate.positive? && age * Seconds::NANOSECONDS > max_age
    end

    # @param age [Float] in seconds
    def good_after_error?(age)
      stale_if_error.positive? && age * Seconds::NANOSECONDS <= max_age + stale_if_error
    end

    # Whether a read is nothing but "is it fresh, else ask".
    def plain?
      stale_while_revalidate.zero? && stale_if_error.zero?
    end

    # Asks the server.
    NONE = new(nil, nil, nil)
  end
end
