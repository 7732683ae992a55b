# frozen_string_literal: true

require_relative "support/bar"

module Bench
  # A row of the README's table of promises: a bar by the name that it has on the page,
  # with a goal that may be another one than the bar's, and what was measured.
  Promise = Struct.new(:bench, :what, :goal, :measured) do
    class << self
      # @return [Array<Promise>]
      def all(readme)
        readme.scan(row).map { |cells| new(*cells) }
      end

      # @yieldparam promise [Promise]
      # @yieldreturn [String, nil] what is measured now; nil leaves what there was
      # @return [String] the README with that
      def update(readme)
        readme.gsub(row) do
          promise = new(*Regexp.last_match.captures)
          promise.measured = yield(promise) || promise.measured
          promise.to_s
        end
      end

      private

      def row
        goal = /(?:at most|at least|more than|less than|equal to) [\d.,]+/
        /^\| `rake bench:(\w+)` \| (.+?) \| (#{goal}) \| (-?[\d.,]+) \|$/
      end
    end

    # @param figure [Numeric, nil]
    # @return [Bar]
    def held_against(figure)
      relation, wanted = goal.match(/\A(\D+) (.+)\z/).captures
      Bar.new(what: what, figure: figure, relation: relation, wanted: wanted.delete(",").to_f)
    end

    def to_s
      "| `rake bench:#{bench}` | #{what} | #{goal} | #{measured} |"
    end
  end
end
