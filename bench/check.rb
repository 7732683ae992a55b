# frozen_string_literal: true

# Holds what the benches have just measured against what we promise. Exits
# non-zero if a figure misses it, or could not be measured. With BENCH_QUICK=1, whose
# figures mean nothing, only if one could not be measured.

require_relative "promises"
require_relative "support/results"

missed = Bench::PROMISES.reject do |promise|
  measured = Bench::Results.of(promise.bench)&.bars_by_name || {}
  bar = promise.held_against(measured[promise.what]&.figure)
  puts format("%-7<verdict>s %12<figure>s   promised: %<goal>s   %<bench>s: %<what>s",
              verdict: bar.verdict, figure: bar.measured, goal: promise.goal, bench: promise.bench, what: promise.what)
  Bench.quick? ? bar.figure : bar.met?
end
abort "#{missed.size} promises missed" unless missed.empty?
