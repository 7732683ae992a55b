# frozen_string_literal: true

require_relative "../promises"

module Bench
  # Brings a page's figures up to date, so that it says what the page of the benches says: what
  # was measured of each promise, and the cells of its tables. A table belongs to the bench
  # that was named last before it, and has some of the rows and columns of one of that
  # page's tables, by the same names.
  class Figures
    # The pages that quote what was measured.
    PAGES = %w[README.md docs/figures.md].freeze

    # @param results [Hash{Symbol => Results, nil}]
    def initialize(results)
      @results = results
    end

    # @return [String] the page with the figures of these results
    def update(text)
      bench = nil
      paragraphs = update_promises(text).split(/(\n{2,})/).map do |paragraph|
        bench = paragraph[/.*rake bench:(\w+)/m, 1] || bench
        paragraph.start_with?("|") ? refresh(paragraph, bench) : paragraph
      end
      paragraphs.join
    end

    private

    # One that was not measured keeps what there was.
    def update_promises(text)
      PROMISES.reduce(text) do |page, promise|
        before = promise.measured_on(page)
        before ? page.sub(promise.row(before)) { promise.row(measured(promise) || before) } : page
      end
    end

    def measured(promise)
      @results[promise.bench.to_sym]&.bars_by_name&.fetch(promise.what, nil)&.measured
    end

    def refresh(table, bench)
      heading, line, *rows = table.lines(chomp: true)
      source = source(cells(heading), bench) or return table
      [heading, line, *rows.map { |row| refresh_row(row, cells(heading), source) }].join("\n")
    end

    def source(heading, bench)
      tables = (bench && @results[bench.to_sym]&.tables) || []
      tables.find { |(first, *columns), *| first == heading.first && (heading.drop(1) - columns).empty? }
    end

    def refresh_row(row, heading, source)
      label, *old = row.split("|").drop(1).map(&:strip)
      measured = source.find { |name, *| name == plain(label) } or return row
      cells = heading.drop(1).zip(old).map do |column, cell|
        cell.sub(plain(cell)) { measured[source.first.index(column)] }
      end
      "| #{[label, *cells].join(" | ")} |"
    end

    def cells(row)
      row.split("|").drop(1).map { |cell| plain(cell) }
    end

    # Without what makes it bold or code.
    def plain(cell)
      cell.delete("*`").strip
    end
  end
end
