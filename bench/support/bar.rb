# frozen_string_literal: true

module Bench
  # A figure beside what it is to reach. One that could not be measured, nil, misses it.
  Bar = Struct.new(:what, :figure, :relation, :wanted, :note, keyword_init: true) do
    # 1.2345 as "1.23", 12345 as "12,345"
    def self.number(figure)
      return "not measured" unless figure

      whole = figure.is_a?(Integer) || figure.abs >= 1000
      whole ? figure.round.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",") : format("%.2f", figure)
    end

    def met?
      return false unless figure

      case relation
      when "at most" then figure <= wanted
      when "at least" then figure >= wanted
      when "more than" then figure > wanted
      when "less than" then figure < wanted
      when "equal to" then figure == wanted
      else raise ArgumentError, "a bar is at most, at least, more than, less than or equal to, not #{relation}"
      end
    end

    def verdict
      met? ? "met" : "MISSED"
    end

    def measured
      self.class.number(figure)
    end

    def goal
      "#{relation} #{self.class.number(wanted)}"
    end
  end
end
