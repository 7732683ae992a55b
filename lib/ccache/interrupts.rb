# frozen_string_literal: true

module Ccache
  # What Thread.handle_interrupt takes. A Hash literal in its place asks its key for `hash`, and
  # Ruby acts upon a kill at the end of each method, also of that one: just before the mask.
  #
  # In an `ensure` the mask comes first, before any call and any branch: a second interrupt may
  # come while the first one unwinds.
  #
  # @api private
  module Interrupts
    HELD_BACK = { Object => :never }.freeze
    TAKEN = { Object => :immediate }.freeze
  end
end
