# frozen_string_literal: true

# How long does the program pause when a large cache is dropped and collected?

require "weakref"
require_relative "support"

ENTRIES = Bench.scaled(1_000_000, quick: 10_000)
ROUNDS = Bench.scaled(5, quick: 1)
CACHES = { "Store" => -> { Ccache::Store.new(max_entries: nil) }, "Hash" => -> { {} } }.freeze

# Fills a new cache in a thread of its own, so that no stack keeps it alive.
def filled(make, values)
  held = []
  Thread.new do
    cache = make.call
    values.each_with_index { |value, i| cache["key:#{i}"] = value }
    held << cache
  end.join
  held
end

# The longest time that this thread did not get on, while it did nothing but look.
#
# @return [Float] milliseconds
def longest_stall(seconds)
  last = Bench.now
  deadline = last + seconds
  longest = 0.0
  while last < deadline
    now = Bench.now
    longest = now - last if now - last > longest
    last = now
  end
  longest * 1000
end

# The values stay alive: what is collected is the cache and its keys.
#
# @return [Array<Float>] milliseconds: a full GC while the cache lives, the one
#   that collects it (both in processor time), the longest stall in the second after
def measure(make)
  values = Array.new(ENTRIES) { Object.new }
  held = filled(make, values)
  reference = Thread.new { WeakRef.new(held.first) }.value
  Bench.settle
  alive = Bench.median(Array.new(5) { Bench.processor_milliseconds { GC.start } })
  held.clear
  dropped = Bench.processor_milliseconds { GC.start }
  abort "#{make.call.class} was not collected" if reference.weakref_alive?
  [alive, dropped, longest_stall(1)]
end

question = "How long is the pause when a cache is dropped and collected?"
Bench::Report.open(question, "#{Bench.count(ENTRIES)} entries, String keys, values that stay alive",
                   "medians of #{ROUNDS} processes for each cache") do |report|
  figures = CACHES.transform_values do |make|
    Array.new(ROUNDS) { Bench.in_child { measure(make) } }.transpose.map { |times| Bench.median(times) }
  end
  report.table(["milliseconds", "a full GC before", "the one that collects it", "longest stall in the second after"],
               *figures.map { |name, times| [name, *times.map { |time| format("%.1f", time) }] },
               ["Store to Hash", "", format("%.2f", figures["Store"][1] / figures["Hash"][1]), ""])
end
