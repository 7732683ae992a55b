# frozen_string_literal: true

module Ccache
  # What shows itself by its `inspect` alone, whoever writes it down: as JSON or YAML, an
  # object would else be shown with all that it refers to, such as a coder with its keys.
  #
  # @api private
  module Opaque
    # For ActiveSupport.
    #
    # @return [String]
    def as_json(*)
      inspect
    end

    # For Psych.
    def encode_with(coder)
      coder.represent_scalar(nil, inspect)
    end
  end
end
