# frozen_string_literal: true

# Consistency, shown: processes of several threads work on a few keys of a real
# server while things go wrong, and each key's history is checked for linearizability
# (C2), or for being late by no more than `max_age:`.
#
# To see red: let RemoteOptions#settings say `max_age: 1_000_000_000`, so that reads
# ask nobody for a second; or let `delete` of store/remote/writing.rb return true
# without asking the server; or let Freshness take `seconds * 1.5`.
#
# The workers are processes of their own, which GC_STRESS does not reach: under it
# these examples would say nothing new.

require_relative "fault"
require_relative "round"

RSpec.describe "Consistency", unless: Scale.stressed? do
  # At what is left of a history one can see that the fault did strike.
  evidence = {
    "client processes are killed" => ->(report, _server) { report.faults == 12 },
    "connections are cut" => ->(report, _server) { report.faults > 5 && report.stats[:connections] > 100 },
    "the server is paused" => ->(report, _server) { report.faults > 2 && report.ambiguous.positive? },
    "the server is restarted empty" => ->(report, _server) { report.faults > 2 },
    "the server is emptied" => ->(report, _server) { report.faults > 5 },
    "the server evicts" => ->(_, server) { server.command("INFO", "stats")[/evicted_keys:(\d+)/, 1].to_i > 100 },
    "memory holds half of the keys" => ->(report, _server) { report.stats[:evictions] > 100 },
    "threads are killed, or run out of time" => ->(report, _server) { report.ambiguous.positive? },
    "reads may be 50 ms late" => ->(report, _server) { report.stats[:not_modified] < report.reads / 10 }
  }

  Consistency::Fault::ALL.each_with_index do |fault, number|
    it "holds while #{fault.name}" do
      server = own_server(*fault.server_options)
      operations = Scale.of(15_000, small: 500)
      report = Consistency::Round.new(server, fault, operations, number).run
      expect(report.violations.join("\n")).to eq("")
      expect(report.reads).to be > [operations, report.answered].max / 3
      struck = evidence.fetch(fault.name, proc { true })
      expect(struck.call(report, server)).to be(true), -> { "the fault did not strike: #{report}" } unless Scale.small?
    end
  end
end
