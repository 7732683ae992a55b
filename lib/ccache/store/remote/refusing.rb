# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Values that are larger than `max_value_bytes:`.
      #
      # @api private
      module Refusing
        private

        def too_large?(form)
          form.payload.is_a?(String) && form.payload.bytesize > @remote.max_value_bytes
        end

        # Tells that a value is not written.
        #
        # @return [ValueTooLarge]
        def refuse(key, form)
          error = ValueTooLarge.for_size(form.payload.bytesize, @remote.max_value_bytes, server, key)
          count(:refusals)
          event(:refused, key, error, bytes: form.payload.bytesize, max_value_bytes: @remote.max_value_bytes)
          error
        end

        # As if the values had been written and dropped at once: what was there before them is
        # not what the caller wants others to read.
        def refuse_all(forms)
          return if forms.empty?

          forms.each { |key, form| refuse(key, form) }
          removing(*forms.keys) { delete_at_server(forms.keys) }
        end
      end
    end
  end
end
