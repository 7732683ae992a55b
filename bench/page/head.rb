# frozen_string_literal: true

require_relative "markdown"

module Bench
  # How the page begins: where and when it was measured, what the bars mean, and which
  # are missed.
  class Head
    # @param results [Hash{Symbol => Results, nil}]
    def initialize(results)
      @results = results
      @measured = results.values.compact
    end

    def to_s
      [<<~TEXT.chomp, Markdown.table(facts), <<~BARS.chomp, *missed].join("\n\n")
        # Benchmarks

        Written by `rake bench`, whole, and never by hand: what is known about the reasons
        stands in [performance.md](performance.md). A bench that is run alone (`rake
        bench:read_hit`) replaces its own figures, and `rake bench:page` writes the page of
        what there is; each section says when and where it was measured.
      TEXT
        A **bar** is what was asked for before anything was measured; a missed one stays
        here, as MISSED. What we promise is a part of them, on the page of [figures](figures.md#promised),
        some with a goal of their own: `rake bench:check` measures again, and fails if one of
        these is missed.
      BARS
    end

    private

    def facts
      [["", ""], ["Ruby", all("ruby")], ["machine", all("machine")], ["versions", all("versions")],
       ["seed of all that is random", all("seed")], ["measured", "#{times.min} to #{times.max}"],
       ["the benches took", "#{@measured.sum { |result| result[:seconds] }} s"],
       ["bars", "#{met} of #{bars.size} met"]]
    end

    # What the sections say, each thing once.
    def all(what)
      @measured.flat_map { |result| result[:environment].fetch(what) }.uniq.join(", ")
    end

    def times
      @measured.map { |result| result[:at] }
    end

    # @return [Array<(String, Symbol, Bar)>]
    def bars
      @measured.flat_map { |result| result.bars_by_name.map { |name, bar| [name, result.name, bar] } }
    end

    def met
      bars.count { |_, _, bar| bar.met? }
    end

    def missed
      rows = bars.reject { |_, _, bar| bar.met? }
      return "No bar is missed." if rows.empty?

      Markdown.table([%w[missed measured bar section],
                      *rows.map { |name, bench, bar| [name, bar.measured, bar.goal, "[#{bench}](##{bench})"] }])
    end
  end
end
