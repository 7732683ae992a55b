# frozen_string_literal: true

require "digest"

module Ccache
  # The tag of a page that is made of entries.
  #
  # @api private
  module PageTag
    module_function

    # @param etags [Array<String>] of all entries, in the page's order
    # @param version [String, nil] of what makes the page of them
    # @return [String] the entry's own tag if there is nothing else
    def of(etags, version = nil)
      parts = [*etags, *version]
      return parts.first if parts.size == 1

      # Each with its length, so that no two lists are one text.
      Digest::SHA256.hexdigest(parts.map { |part| "#{part.bytesize}:#{part.b}" }.join)[0, 32]
    end

    # @return [String] as in an ETag header; weak, since what is sent may be compressed
    #   on its way, and the page may be put together otherwise
    def weak(etag)
      %(W/"#{etag}")
    end
  end
end
