# frozen_string_literal: true

require_relative "ccache/version"
require_relative "ccache/errors"
require_relative "ccache/extension" # Ccache::Store and Ccache::PinList
require_relative "ccache/newer_ruby"
require_relative "ccache/not_modified"
require_relative "ccache/opaque"
require_relative "ccache/entry"
require_relative "ccache/plain_data"
require_relative "ccache/values"
require_relative "ccache/seconds"
require_relative "ccache/interrupts"
require_relative "ccache/coalescer"
require_relative "ccache/coders"
require_relative "ccache/freshness"
require_relative "ccache/option_names"
require_relative "ccache/server_url"
require_relative "ccache/server_options"
require_relative "ccache/callable"
require_relative "ccache/bound_options"
require_relative "ccache/remote_options"
require_relative "ccache/revalidator"
require_relative "ccache/lease_returner"
require_relative "ccache/pin_list"
require_relative "ccache/if_none_match"
require_relative "ccache/page_tag"
require_relative "ccache/tally"
require_relative "ccache/store/arguments"
require_relative "ccache/store/decoding"
require_relative "ccache/store/load"
require_relative "ccache/store/loading"
require_relative "ccache/store/embedding"
require_relative "ccache/store/resizing"
require_relative "ccache/store/telling"
require_relative "ccache/store/weighing"
require_relative "ccache/store"
require_relative "ccache/store/remote"

require_relative "ccache/railtie" if defined?(Rails::Railtie)

# A conditional cache: live Ruby objects, each with an ETag beside it.
#
# @see Ccache::Store
module Ccache
  autoload :Notifications, File.expand_path("ccache/notifications", __dir__)

  # For Rack applications; see {Rack::Conditional}.
  module Rack
    autoload :Conditional, File.expand_path("ccache/rack/conditional", __dir__)
  end
end
