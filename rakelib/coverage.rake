# frozen_string_literal: true

require_relative "support/coverage"

desc "Say which lines of Ruby and Rust no test runs"
task coverage: %i[coverage:ruby coverage:rust]

namespace :coverage do
  # Before the specs, which then count.
  task :start do
    rm_rf "coverage", verbose: false
    ENV["COVERAGE"] = "1"
  end

  desc "Run the specs, and say which lines of Ruby they do not run"
  task ruby: %i[start spec spec:railtie lines]

  # After the specs.
  task :lines do
    CoverageReport.print("Ruby", RubyCoverage.lines)
  end

  desc "Run the Rust tests and the specs of the binding, and say which lines of Rust they do not run"
  task :rust do
    CoverageReport.print("Rust", RustCoverage.lines)
  end
end
