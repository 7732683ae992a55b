# frozen_string_literal: true

# How many instructions does an operation take? Counted by callgrind, net of the empty loop: the
# same binary gives the same count, whatever else the machine is doing.
#
#   ruby bench/instructions.rb               this checkout
#   ruby bench/instructions.rb LIB [LIB …]   others beside it, by their compiled lib folders; fails
#                                            if this one takes over 2 % more than the first of them

require "open3"
require "tempfile"
require_relative "../spec/support/servers"

# Counts in child processes, one for each operation and number of rounds.
class Instructions
  LIBRARY = File.expand_path("../lib", __dir__)
  KEYS_EACH = 256 # as many as even out where a hash puts them
  ROUNDS = 40
  ALLOWED = 1.02
  KEYS = "keys = (1..256).map { |number| number.to_s.rjust(8) }"
  LOCAL = "store = Ccache::Store.new; keys.each { |key| store.set(key, Object.new) }"
  REMOTE = 'store = Ccache::Store.new(redis: ARGV.fetch(1)); keys.each { |key| store.set(key, "a value") }'
  # What is set up, and one round: an operation for each key.
  OPERATIONS = {
    "get, a hit" => [LOCAL, "keys.each { |key| store.get(key) }"],
    "[], a hit" => [LOCAL, "keys.each { |key| store[key] }"],
    "fetch, a hit" => [LOCAL, "keys.each { |key| store.fetch(key) { 1 } }"],
    "set" => [LOCAL, "keys.each { |key| store.set(key, key) }"],
    "[]=" => [LOCAL, "keys.each { |key| store[key] = key }"],
    "get, validated" => [REMOTE, "keys.each { |key| store.get(key) }"],
    "get_multi, validated" => [REMOTE, "store.get_multi(*keys)"]
  }.freeze

  def initialize(libraries)
    @libraries = [LIBRARY, *libraries.map { |library| File.expand_path(library) }]
    @server = Server.new
  end

  # @return [Boolean] whether none takes more than it may
  def run
    OPERATIONS.map do |name, (setup, round)|
      counts = @libraries.map { |library| (per_operation(library, setup, round) - loop_alone).round }
      puts [name.ljust(22), *counts.map { |count| count.to_s.rjust(8) }, *ratio(counts)].join
      counts.size == 1 || counts[0] <= counts[1] * ALLOWED
    end.all?
  ensure
    @server.stop
  end

  private

  def ratio(counts)
    counts.drop(1).map { |other| format("%8.3f", counts.first.fdiv(other)) }
  end

  def loop_alone
    @loop_alone ||= per_operation(LIBRARY, LOCAL, "keys.each { |key| key }")
  end

  # Twice as many rounds less as many: what is done once does not count.
  def per_operation(library, setup, round)
    few, many = [ROUNDS, 2 * ROUNDS].map { |rounds| count(library, setup, round, rounds) }
    (many - few).fdiv(KEYS_EACH * ROUNDS)
  end

  def count(library, setup, round, rounds)
    program = "GC.disable; #{KEYS}; #{setup}; rounds = Integer(ARGV.fetch(0)); " \
              "while rounds.positive?; #{round}; rounds -= 1; end"
    Tempfile.create("ccache") do |file|
      command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=#{file.path}", RbConfig.ruby, "-I", library,
                 "-rccache", "-e", program, rounds.to_s, @server.url]
      output, status = Open3.capture2e(*command)
      status.success? ? Integer(file.read[/^(?:summary|totals): (\d+)/, 1]) : abort(output)
    end
  end
end

exit Instructions.new(ARGV).run
