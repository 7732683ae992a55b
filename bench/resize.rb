# frozen_string_literal: true

# How much memory does a store give back when it is made smaller while in use?

require_relative "support"

ENTRIES = Bench.scaled(1_000_000, quick: 100_000)
SMALLER = 10_000
ROUNDS = Bench.scaled(3, quick: 1)
STEPS = ["empty", "full", "made smaller", "filled again up to the old bound"].freeze

Step = Struct.new(:process, :counted, :segments)

# Keys and values are there before, so that nothing grows or shrinks but the store.
#
# @return [Array<Step>]
def steps
  keys = Array.new(ENTRIES) { |i| "key:#{i}" }
  values = Array.new(ENTRIES) { Object.new }
  store = Ccache::Store.new(max_entries: ENTRIES)
  fill = -> { keys.each_index { |i| store[keys[i]] = values[i] } }
  [-> {}, fill, -> { store.resize(max_entries: SMALLER) },
   -> { store.resize(max_entries: ENTRIES).then { fill.call } }].map do |change|
    change.call
    step(store)
  end
end

def step(store)
  Bench.settle
  Step.new(ResidentMemory.bytes / 1e6, store.stats[:bytes] / 1e6, store.pin_list.segments)
end

# @return [Array<Step>] with the medians of all processes
def medians(rounds)
  rounds.transpose.map { |alike| Step.new(*alike.map(&:to_a).transpose.map { |figures| Bench.median(figures) }) }
end

Bench::Report.open("How much memory does a store give back when it is made smaller?",
                   "#{Bench.count(ENTRIES)} entries, String keys; keys and values are there before; " \
                   "resize(max_entries: #{SMALLER})",
                   "medians of #{ROUNDS} processes") do |report|
  measured = medians(Array.new(ROUNDS) { Bench.in_child { steps } })
  empty, full, smaller = measured
  report.table(["", "memory of the process, MB", "beyond the empty store, MB", "stats[:bytes], MB", "segments"],
               *STEPS.zip(measured).map do |name, step|
                 [name, step.process.round.to_s, (step.process - empty.process).round.to_s,
                  format("%.1f", step.counted), Bench.count(step.segments)]
               end)
  report.bars do
    report.figure("share of the store's memory that the process gave back",
                  (full.process - smaller.process) / (full.process - empty.process))
    report.figure("share of the segments", (full.segments - smaller.segments) / full.segments)
  end
end
