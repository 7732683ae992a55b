# frozen_string_literal: true

# BENCH_QUICK=1 runs the same code with small counts, to see that it works. Its figures
# mean nothing, and go into a folder of their own: neither the page nor the README changes.
module Bench
  class << self
    def quick?
      ENV["BENCH_QUICK"] == "1"
    end

    # @return [Numeric, Object] count, or the small one
    def scaled(count, quick:)
      quick? ? quick : count
    end
  end
end
