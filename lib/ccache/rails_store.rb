# frozen_string_literal: true

require_relative "rails_store/version"
require_relative "rails_store/options"
require_relative "rails_store/item"
require_relative "rails_store/load"
require_relative "rails_store/write_options"
require_relative "rails_store/instrumenting"
require_relative "rails_store/merging"
require_relative "rails_store/naming"
require_relative "rails_store/failsafe"
require_relative "rails_store/keeping"
require_relative "rails_store/reading"
require_relative "rails_store/writing"
require_relative "rails_store/racing"
require_relative "rails_store/fetching"
require_relative "rails_store/counting"
require_relative "rails_store/clearing"
require_relative "rails_store/pages"

module Ccache
  # The parts of ActiveSupport::Cache::CcacheStore. What Rails' own store class does well
  # in each of its versions is left to it: keys, events, the order of things. These
  # parts say where entries are, and make the common read short.
  #
  # @api private
  module RailsStore
  end
end
