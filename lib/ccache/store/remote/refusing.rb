# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # Values that are larger than `max_value_bytes:`.
      #
      # @api private
      module Refusing
        private

        def _too_large?(form)
          form.payload.is_a?(String) && form.payload.bytesize > @_remote.max_value_bytes
        end

        # Tells that a value is not written.
        #
        # @return [ValueTooLarge]
        def _refuse(key, form)
          error = ValueTooLarge.for_size(form.payload.bytesize, @_remote.max_value_bytes, _server, key)
          _count(:refusals)
          _event(:refused, key, error, bytes: form.payload.bytesize, max_value_bytes: @_remote.max_value_bytes)
          error
        end

        # As if the values had been written and dropped at once: what was there before them is
        # not what the caller wants others to read.
        def _refuse_all(forms)
          return if forms.empty?

          forms.each { |key, form| _refuse(key, form) }
          _removing_all(forms.keys) { _delete_at_server(forms.keys) }
        end
      end
    end
  end
end
