# frozen_string_literal: true

require_relative "ccache/version"
require_relative "ccache/errors"
require_relative "ccache/ccache" # the extension: Ccache::Store and Ccache::PinList
require_relative "ccache/not_modified"
require_relative "ccache/entry"
require_relative "ccache/plain_data"
require_relative "ccache/values"
require_relative "ccache/seconds"
require_relative "ccache/coalescer"
require_relative "ccache/pin_list"
require_relative "ccache/store"

# A conditional cache: live Ruby objects, each with an ETag beside it.
#
# @see Ccache::Store
module Ccache
end
