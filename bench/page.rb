# frozen_string_literal: true

# Writes docs/benchmarks.md and its charts from what the benches have measured, each in
# its last run, and brings the figures of the README and docs/figures.md up to date.
# `rake bench` ends by it. With BENCH_QUICK=1 all of that goes into tmp/bench/quick.

require "fileutils"
require_relative "suite"
require_relative "support/results"
require_relative "page/figures"
require_relative "page/head"
require_relative "page/section"

project = File.expand_path("..", __dir__)
to = Bench.quick? ? Bench::Results::FOLDER : project
docs = File.join(to, "docs")
FileUtils.mkdir_p(docs)
charts = File.join(docs, Bench::Section::CHARTS)
results = Bench::NAMES.to_h { |name| [name, Bench::Results.of(name)] }

parts = [Bench::Head.new(results).to_s]
Bench::SUITE.each do |title, benches|
  parts << "## #{title}"
  parts.concat(benches.keys.map { |name| Bench::Section.new(name, results[name]).to_s })
end
File.write(File.join(docs, "benchmarks.md"), "#{parts.join("\n\n")}\n")

FileUtils.rm_rf(charts)
FileUtils.mkdir_p(charts)
results.each_value do |result|
  result&.charts&.each { |file| FileUtils.cp(Bench::Results.chart(file), charts) }
end

figures = Bench::Figures.new(results)
Bench::Figures::PAGES.each do |page|
  File.write(File.join(to, page), figures.update(File.read(File.join(project, page))))
end

missing = results.reject { |_, result| result }.keys
abort "not on the page, since they have not run or failed: #{missing.join(", ")}" unless missing.empty?
