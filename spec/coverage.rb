# frozen_string_literal: true

# Loaded before RSpec by `rake coverage:ruby` alone: notes which lines of lib are run in
# this process. Programs and apps that specs start are not counted.
#
# Each line is noted once, after which it costs nothing: what specs say about speed,
# allocations and ten million rounds holds as before.
require "coverage"
require "fileutils"
require "json"

# The lines of this process, for rakelib/support/coverage.rb.
module LineCoverage
  FOLDER = File.expand_path("../coverage", __dir__)
  LIBRARY = File.expand_path("../lib", __dir__)

  # @return [Hash{String => Hash{Integer => Integer}}] per file 1 for each line that was run, and 0
  def self.lines
    run = Coverage.result
    Dir["#{LIBRARY}/**/*.rb"].to_h do |file|
      stub = Coverage.line_stub(file)
      seen = run.dig(file, :oneshot_lines) || []
      numbers = (1..stub.size).select { |number| stub[number - 1] }
      [file, numbers.to_h { |number| [number, seen.include?(number) ? 1 : 0] }]
    end
  end

  def self.write
    FileUtils.mkdir_p(FOLDER)
    File.write(File.join(FOLDER, "#{Process.pid}.json"), JSON.dump(lines))
  end
end

owner = Process.pid
Coverage.start(oneshot_lines: true)
at_exit { LineCoverage.write if Process.pid == owner } # not in a forked child
