# frozen_string_literal: true

module Bench
  # Tables as Markdown.
  module Markdown
    class << self
      # @param rows [Array<Array<String>>] the first one is the heading
      def table(rows)
        columns = rows.map(&:size).max
        heading, *rest = rows.map { |row| line(Array.new(columns) { |i| row[i] }) }
        [heading, "|#{"---|" * columns}", *rest].join("\n")
      end

      private

      def line(cells)
        "| #{cells.map { |cell| cell.to_s.gsub("|", "\\|") }.join(" | ")} |".gsub(/ +\|/, " |")
      end
    end
  end
end
