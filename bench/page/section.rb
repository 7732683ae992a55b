# frozen_string_literal: true

require_relative "markdown"

module Bench
  # What the page says of one bench.
  class Section
    CHARTS = "charts"

    # @param result [Results, nil] nil if it did not run
    def initialize(name, result)
      @name = name
      @result = result
    end

    def to_s
      return "### #{@name}\n\nNot measured: `rake bench:#{@name}` has not run, or failed." unless @result

      ["### #{@name}", "**#{@result[:question]}** (`rake bench:#{@name}`)", *about,
       *@result[:blocks].flat_map { |block| block(block) }].join("\n\n")
    end

    private

    def about
      ruby, machine, seed = @result[:environment].values_at("ruby", "machine", "seed")
      ["#{@result[:about].join("; ")}.",
       "<sub>#{ruby}; #{machine}; seed #{seed}; #{@result[:at]}, took #{@result[:seconds]} s</sub>"]
    end

    def block(block)
      return Markdown.table(block["table"]) if block["table"]
      return "![#{block["words"]}](#{CHARTS}/#{block["chart"]})" if block["chart"]
      return block["words"] if block["words"]

      bars(block)
    end

    def bars(block)
      bars = @result.bars_of(block).map do |bar|
        [bar.what, bar.measured, bar.goal, bar.met? ? "met" : "**MISSED**", bar.note]
      end
      Markdown.table([[block["heading"], "measured", "bar", "", ""], *bars, *block["figures"]])
    end
  end
end
