# frozen_string_literal: true

module Ccache
  # Durations given by callers.
  #
  # @api private
  module Seconds
    NANOSECONDS = 1_000_000_000
    LIMIT = 2**63 # nanoseconds: 292 years

    # How long an entry lives: what is negative is over at once, as 0 is.
    #
    # @param seconds [Numeric, ActiveSupport::Duration]
    # @param option [Symbol] the option's name, for the message
    # @return [Integer] nanoseconds
    # @raise [InvalidOption] for anything but a number up to 292 years
    def self.of_life(seconds, option)
      is_over = seconds.is_a?(Numeric) && seconds.real? && seconds.finite? && seconds.negative?
      is_over ? 0 : to_nanoseconds(seconds, option, "a number of seconds up to 292 years")
    end

    # @param seconds [Numeric, ActiveSupport::Duration]
    # @param option [Symbol] the option's name, for the message
    # @return [Integer] nanoseconds
    # @raise [InvalidOption] for anything but a number from 0 to 292 years
    def self.to_nanoseconds(seconds, option, accepted = "a number of seconds from 0 to 292 years")
      # is_a?, since ActiveSupport::Duration answers it as its number does
      if seconds.is_a?(Numeric) && seconds.real? && seconds.finite?
        nanoseconds = (seconds.to_r * NANOSECONDS).round
        return nanoseconds if nanoseconds.between?(0, LIMIT - 1)
      end
      raise InvalidOption.for(option, seconds, accepted)
    end
  end
end
