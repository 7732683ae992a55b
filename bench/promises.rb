# frozen_string_literal: true

require_relative "support/bar"

module Bench
  # A row of the README's table of promises: a bar by the name that it has on the page,
  # with a goal that may be another one than the bar's, and what was measured when the
  # README was written.
  Promise = Struct.new(:bench, :what, :goal, :measured) do
    # @return [Array<Promise>]
    def self.all(readme)
      goal = /(?:at most|at least|more than|less than|equal to) [\d.,]+/
      readme.scan(/^\| `rake bench:(\w+)` \| (.+?) \| (#{goal}) \| ([\d.,]+) \|$/).map { |cells| new(*cells) }
    end

    # @param figure [Numeric, nil]
    # @return [Bar]
    def held_against(figure)
      relation, wanted = goal.match(/\A(\D+) (.+)\z/).captures
      Bar.new(what: what, figure: figure, relation: relation, wanted: wanted.delete(",").to_f)
    end
  end
end
