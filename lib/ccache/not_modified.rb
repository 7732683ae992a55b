# frozen_string_literal: true

module Ccache
  # The class of {NOT_MODIFIED}.
  class NotModified
    # @return [String]
    def inspect
      "Ccache::NOT_MODIFIED"
    end
    alias to_s inspect
    private_class_method :new, :allocate

    # @api private
    INSTANCE = new.freeze
    private_constant :INSTANCE

    # @api private
    def self.instance
      INSTANCE
    end
  end

  # What {Store#get} answers when the etag given as `if_none_match:` still holds:
  # the reader has the value already (RFC 9110, 304 Not Modified).
  NOT_MODIFIED = NotModified.instance
end
