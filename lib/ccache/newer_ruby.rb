# frozen_string_literal: true

require "uri"

module Ccache
  # What only newer Rubies have, and what is taken in its place where it is not there.
  #
  # @api private
  module NewerRuby
    # Ruby 3.2: the class of what Data.define defines. Before, nothing is one.
    DATA = defined?(::Data.define) ? ::Data : Class.new
    # Ruby 3.4: the name of the parser that undoes %XX and leaves "+" alone. Before, it is the default.
    URI_PARSER = defined?(::URI::RFC2396_PARSER) ? ::URI::RFC2396_PARSER : ::URI::DEFAULT_PARSER
  end
  private_constant :NewerRuby
end
