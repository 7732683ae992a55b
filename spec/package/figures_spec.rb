# frozen_string_literal: true

require_relative "../../bench/suite"
require_relative "../../bench/page/figures"

# What the README and docs/figures.md say about speed and memory is what the page of the benches
# says.
RSpec.describe "The figures" do
  root = File.expand_path("../..", __dir__)
  pages = Bench::Figures::PAGES.to_h { |name| [name, File.read(File.join(root, name))] }
  figures = pages.fetch("docs/figures.md")
  page = File.read(File.join(root, "docs/benchmarks.md"))
  sections = page.split(/^### (\w+)$/).drop(1).each_slice(2).to_h

  # A number as it was read, and its value: "2,300" and 2300.0.
  def numbers(text)
    text.scan(/(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)/).map { |shown| shown.delete_suffix(",") }
  end

  def value(shown)
    shown.delete(",").to_f
  end

  # Whether that is `exact`, rounded to as many places as are shown, or to two digits at least.
  def shows?(shown, exact)
    return exact.round(shown[/\.(\d+)/, 1].size) == value(shown) if shown.include?(".")

    digits = shown.delete(",")
    zeros = [digits[/0*\z/].size, digits.size - 2].min
    (0..[zeros, 0].max).any? { |places| exact.round(-places) == value(shown) }
  end

  # Figures by their full names, as {Bench::Results#bars_by_name} has them.
  def bars_of(section)
    tables = section.split(/\n\n+/).grep(/\A\|[^|]*\| measured \|/)
    tables.flat_map do |table|
      heading, _, *rows = table.lines.map { |line| line.split("|").map(&:strip).slice(1, 2) }
      rows.map { |what, measured| [[heading.first, what].reject(&:empty?).join(": "), measured] }
    end.to_h
  end

  # A chapter's paragraphs, each with the bench that was named last.
  named = lambda do |chapter|
    bench = nil
    chapter.split(/\n\n+/).map { |text| [bench = text[/.*rake bench:(\w+)/m, 1] || bench, text] }
  end

  # They are all that stands on the page of figures, but for the promises, and tables elsewhere.
  claims = pages.flat_map do |name, page_text|
    paragraphs = page_text.sub(/^## Promised.*/m, "").split(/(?=^## )/).flat_map(&named)
    paragraphs.select { |bench, text| bench && (text.start_with?("|") || name == "docs/figures.md") }
  end

  it "are many" do
    expect(Bench::PROMISES.size).to be >= 10
    expect(claims.size).to be >= 12
  end

  it "come from benches that there are, each with a section on the page" do
    expect(sections.keys).to eq(Bench::NAMES.map(&:to_s))
    quoted = pages.values.join.scan(/rake bench:(\w+)/).flatten.uniq - %w[check]
    expect(quoted).to all(satisfy { |name| sections.key?(name) })
  end

  it "list every promise, and no other" do
    rows = figures[/^## Promised.*/m].scan(/^\| `rake bench:.*$/)
    expect(rows).to eq(Bench::PROMISES.map { |promise| promise.row(promise.measured_on(figures)) })
  end

  Bench::PROMISES.each do |promise|
    it "are kept by the page: #{promise.bench}, #{promise.what}" do
      measured = bars_of(sections.fetch(promise.bench))[promise.what]
      expect(promise.measured_on(figures)).to eq(measured)
      expect(promise.held_against(value(measured))).to be_met
    end
  end

  claims.each do |name, claim|
    it "stand in the page's section of #{name}: #{claim.lines.first.strip.slice(0, 60)}" do
      exact = numbers(sections.fetch(name)).map { |shown| value(shown) }
      claimed = numbers(claim.gsub(/`[^`]*`|\]\([^)]*\)/, ""))
      expect(claimed.reject { |shown| exact.any? { |number| shows?(shown, number) } }).to eq([])
    end
  end
end
