# frozen_string_literal: true

require_relative "support/side_by_side"
require_relative "support/specs"

# What bin/test runs: independent commands, as many at a time as keep the machine busy. The
# extension is compiled before, once for all.
module Checks
  class << self
    # @return [Array<String>] tasks that wait for each other anyway, since they build in one folder
    def rake(*tasks)
      ["rake", *tasks]
    end

    def run(*commands, &block)
      Specs.forget_times
      SideBySide.run(*commands, at_once: SideBySide::AT_ONCE) do
        block&.call
        Specs.print_slowest
      end
    end

    # With the greater counts.
    def at_length
      ENV["DEEP"] = "1"
    end
  end
end

desc "Run what bin/test runs, before each commit: lints, Rust tests, specs"
task default: :compile do
  Checks.run(*Specs.groups, Checks.rake("lint", "cargo:test"))
end

desc "Run what bin/test --deep runs: the same with greater counts, and everything else that CI checks"
task deep: %i[compile coverage:start] do
  Checks.at_length
  Checks.run(*Specs::STRESS, Specs::MEMCHECK, *Specs.groups, Checks.rake("asan"), Checks.rake("coverage:rust"),
             Checks.rake("lint", "cargo:test", "doc"), Checks.rake("cargo:loom"), *Specs.servers,
             Checks.rake("fuzz")) { Rake::Task["coverage:lines"].invoke }
end

desc "Run what may come out differently with another Ruby, gem or server: the tests, and the specs in all their ways"
task compatibility: :compile do
  Checks.at_length
  Checks.run(*Specs::STRESS, Specs::MEMCHECK, *Specs.groups, Checks.rake("cargo:test"), *Specs.servers)
end

# What can be run with a Ruby that the distribution packages no native gems for:
# gemfiles/core.gemfile has the others.
desc "Run the Rust tests and the specs, also under GC stress, but nothing that needs a gem with native code"
task core: :compile do
  ENV["SPEC_OPTS"] = "--tag ~msgpack"
  Checks.at_length
  Checks.run(*Specs::STRESS, *Specs.groups(except: %w[railtie]), Checks.rake("cargo:test"), *Specs.servers)
end
