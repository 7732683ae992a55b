# frozen_string_literal: true

require_relative "bar"
require_relative "environment"
require_relative "results"

module Bench
  # Says what was asked and what came out: on the terminal, and as {Results} for the page.
  class Report
    STARTED = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    # @param question [String]
    # @param measured [Array<String>] what, and how often
    # @yieldparam report [Report]
    def self.open(question, *measured)
      $stdout.sync = true
      name = File.basename($PROGRAM_NAME, ".rb")
      Results.forget(name)
      puts question, "", *[Environment.line, *measured].map { |line| "  #{line}" }
      report = new
      yield report
      report.close
      Results.write(name, question: question, about: measured, environment: Environment.to_h,
                          at: Time.now.utc.strftime("%Y-%m-%d %H:%M UTC"), seconds: seconds, blocks: report.blocks)
    end

    # Since the bench was started: some measure before they report.
    def self.seconds
      (Process.clock_gettime(Process::CLOCK_MONOTONIC) - STARTED).round
    end

    # @return [Array<Hash>] see {Results}
    attr_reader :blocks

    def initialize
      @blocks = []
      @missed = []
    end

    # @param rows [Array<Array<String>>] the first one is the heading
    def table(*rows)
      @blocks << { table: rows }
      columns = rows.map(&:size).max
      widths = Array.new(columns) { |i| rows.map { |row| row[i].to_s.size }.max }
      puts
      rows.each do |first, *rest|
        cells = rest.zip(widths.drop(1)).map { |cell, width| cell.to_s.rjust(width) }
        puts ["  #{first.to_s.ljust(widths.first)}", *cells].join("   ").rstrip
      end
    end

    # @param heading [String, nil] what the bars have in common
    def bars(heading = nil)
      puts
      puts "  #{heading}:" if heading
      @blocks << { heading: heading, bars: [], figures: [] }
      @heading = heading
      yield
    end

    # Holds a figure against a bar: `at_most`, `at_least`, `more_than`, `less_than` or
    # `equal_to`.
    #
    # @param note [String, nil] what is worth knowing beside the verdict
    def bar(what, figure, note: nil, **goal)
      relation, wanted = goal.first
      bar = Bar.new(what: what, figure: figure, relation: relation.to_s.tr("_", " "), wanted: wanted, note: note)
      @blocks.last.fetch(:bars) << bar.to_h
      @missed << [@heading, what].compact.join(": ") unless bar.met?
      puts format("  %-58<what>s %12<measured>s   bar: %<goal>s   %<verdict>s%<note>s",
                  what: what, measured: bar.measured, goal: bar.goal, verdict: bar.verdict, note: note && "; #{note}")
    end

    # A figure without a bar, among those with one.
    def figure(what, figure)
      @blocks.last.fetch(:figures) << [what, Bar.number(figure)]
      puts format("  %-58<what>s %12<shown>s", what: what, shown: Bar.number(figure))
    end

    # @param words [String] Markdown
    def say(words)
      @blocks << { words: words }
      puts "", "  #{words}"
    end

    # @param file [String] its name, without a folder
    # @param words [String] what it shows, for who does not see it
    # @param chart [#svg, nil] nil if that file has been written
    def chart(file, words, chart = nil)
      File.write(Results.chart(file), chart.svg) if chart
      @blocks << { chart: file, words: words }
      puts "", "  chart: #{Results.chart(file)}"
    end

    def close
      puts
      puts "  #{@missed.size} missed: #{@missed.join("; ")}", "" unless @missed.empty?
    end
  end
end
