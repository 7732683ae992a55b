# frozen_string_literal: true

module Ccache
  # The options of a store that say how much it keeps, checked.
  #
  # @api private
  class BoundOptions
    # What a store takes, and its defaults; but see {DEFAULT_MAX_ENTRIES}.
    DEFAULTS = { max_entries: nil, max_bytes: nil, weigher: nil, idle_for: nil }.freeze

    # The bound of a store that is given none.
    DEFAULT_MAX_ENTRIES = 100_000

    # The largest bounds.
    MAX_ENTRIES = (2**32) - 2
    MAX_BYTES = (2**63) - 1

    # @return [Integer, nil]
    attr_reader :max_entries, :max_bytes
    # @return [Integer, nil] in nanoseconds
    attr_reader :idle
    # @return [#call, nil]
    attr_reader :weigher

    # @param given [Hash{Symbol => Object}] some of {DEFAULTS}
    # @raise [InvalidOption]
    def initialize(given)
      @max_bytes = check_max_bytes(given[:max_bytes])
      @max_entries = check_max_entries(given.fetch(:max_entries) { @max_bytes ? nil : DEFAULT_MAX_ENTRIES })
      @weigher = Callable.check(:weigher, given[:weigher], "call(key, value)")
      @idle = given[:idle_for] && Seconds.to_nanoseconds(given[:idle_for], :idle_for)
    end

    # @return [Boolean] whether entries are weighed
    def weighs?
      !(@max_bytes.nil? && @weigher.nil?)
    end

    # @return [Integer, nil] the bound
    # @raise [InvalidOption]
    def check_max_entries(bound)
      check(:max_entries, bound, MAX_ENTRIES)
    end

    # @return [Integer, nil] the bound
    # @raise [InvalidOption]
    def check_max_bytes(bound)
      check(:max_bytes, bound, MAX_BYTES)
    end

    # For a store that exists.
    #
    # @return [Integer, nil] the bound
    # @raise [InvalidOption] also if what is there was not weighed
    def recheck_max_bytes(bound)
      check_max_bytes(bound)
      return bound if bound.nil? || weighs?

      raise InvalidOption.for(:max_bytes, bound, "nil in a store that was made without max_bytes: and weigher:, " \
                                                 "since its entries were not weighed")
    end

    private

    def check(name, bound, most)
      return bound if bound.nil? || (bound.is_a?(Integer) && bound.between?(1, most))

      raise InvalidOption.for(name, bound, "an Integer from 1 to #{most}, or nil for no bound")
    end
  end
end
