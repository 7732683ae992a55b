# frozen_string_literal: true

module Ccache
  class Store
    module Remote
      # What memory forgets around a request that changes the server: it knows nothing of a
      # key whose state at the server nobody knows.
      #
      # @api private
      module Forgetting
        private

        # Runs the block, after which memory knows nothing of the keys, unless it says
        # that it is done: also if it failed, and nobody knows what the server has.
        def _forgetting(key, &block)
          _forgetting_all([key], &block)
        end

        # A list may be too long for a method's arguments, which stand on a fiber's small stack.
        def _forgetting_all(keys)
          keep = false
          yield -> { keep = true }
        ensure
          Thread.handle_interrupt(Interrupts::HELD_BACK) do
            keys.each { |key| _drop_local(key) } unless keep || closed?
          end
        end

        # The same for a removal, which no load that began before it may outlive.
        def _removing(key, &block)
          _removing_all([key], &block)
        end

        def _removing_all(keys, &block)
          keys.each { |key| _drop_local(key) }
          _forgetting_all(keys, &block)
        end
      end
    end
  end
end
