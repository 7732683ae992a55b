# frozen_string_literal: true

# The consistency specs at length: OPERATIONS (ten million by default) in rounds of
# fresh keys, each under the next fault; then a table. Fails if there is a violation.

require "timeout"
require_relative "../support/servers"
require_relative "fault"
require_relative "round"

module Consistency
  # All faults in turn until there are enough operations.
  class Long
    OPERATIONS_PER_ROUND = 50_000
    LONGEST_ROUND = 600
    COLUMNS = %i[operations reads writes ambiguous faults violations].freeze

    def initialize(operations)
      @operations = operations
      @totals = Hash.new { |totals, name| totals[name] = COLUMNS.to_h { |column| [column, 0] } }
    end

    # @return [Boolean] whether there was no violation
    def run
      0.step do |number|
        break if count(:operations) >= @operations

        Fault::ALL.each { |fault| add(fault, run_round(fault, number)) }
        warn "#{count(:operations)} operations, #{count(:violations)} violations"
      end
      print_table
      count(:violations).zero?
    end

    private

    def run_round(fault, number)
      server = Server.new(*fault.server_options)
      per_round = [OPERATIONS_PER_ROUND, @operations / Fault::ALL.size].min
      Timeout.timeout(LONGEST_ROUND) { Round.new(server, fault, per_round, number).run }
    ensure
      server&.stop
    end

    def add(fault, report)
      report.violations.each { |violation| warn "#{fault.name}: #{violation}" }
      total = @totals[fault.name]
      (COLUMNS - %i[violations]).each { |column| total[column] += report[column] }
      total[:violations] += report.violations.size
    end

    def count(column)
      @totals.each_value.sum { |total| total[column] }
    end

    def print_table
      row = "%-62s" + (" %11s" * COLUMNS.size)
      puts format(row, "", *COLUMNS)
      @totals.each { |name, total| puts format(row, name, *total.values) }
      puts format(row, "in all", *COLUMNS.map { |column| count(column) })
    end
  end
end

exit Consistency::Long.new(Integer(ENV.fetch("OPERATIONS", 10_000_000))).run
