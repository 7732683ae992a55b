# frozen_string_literal: true

require "fileutils"
require "json"
require "rbconfig"
require_relative "../../spec/support/servers"

# The commands that run the specs, each a process of its own.
module Specs
  # Those that take long by themselves stand first. The rest is one group more, so that no new
  # folder is left out. Rails is loaded by the specs of the railtie alone.
  GROUPS = %w[railtie pins package consistency].freeze

  # The platform gem's specs are about what `rake native` has built, which takes its time.
  NATIVE = "spec/native/**/*_spec.rb"

  # Of each group: what it ran, and how long that took.
  TIMES = "tmp/specs"
  SLOWEST = 10

  # Specs that start programs, or are about Ruby alone, would add nothing to a run with a
  # collection at each allocation; nor would those that take the same native ways again for
  # dozens of values, patterns, options, refusals or interrupts.
  PROGRAMS = %w[hearing subclasses].freeze
  AGAIN = %w[deep_values interrupts odd_values patterns].freeze
  AGAIN_WITH_SERVER = %w[answers long_lists options permissions signature_limits tls vocabulary].freeze

  # Without a server and with one.
  STRESS = [["--exclude-pattern", "spec/{remote,consistency,package,rails,rack,railtie,native}/**/*_spec.rb," \
                                  "spec/ccache/store/{#{[*PROGRAMS, *AGAIN].join(",")}}_spec.rb," \
                                  "spec/pins/continuations_spec.rb"],
            ["--pattern", "spec/{remote,consistency}/**/*_spec.rb",
             "--exclude-pattern", "spec/remote/{#{AGAIN_WITH_SERVER.join(",")}}_spec.rb"]].map do |files|
    [{ "GC_STRESS" => "1" }, RbConfig.ruby, "-S", "rspec", *files]
  end.freeze

  # Uninitialised values are not looked for: Ruby scans its stack for references.
  # The frame is that of ruby_init_stack, which touches the end of the stack.
  MEMCHECK = [{ "MEMCHECK" => "1" },
              "valgrind", "--tool=memcheck", "--undef-value-errors=no", "--leak-check=no", "--quiet",
              "--max-stackframe=9000000", "--suppressions=spec/support/valgrind.supp", "--num-callers=30",
              "--error-exitcode=99", RbConfig.ruby, "-Ilib", "-S", "rspec",
              *%w[survival cycles forgetting compaction flatness].map { |name| "spec/pins/#{name}_spec.rb" },
              *%w[writing values expiry bounds].map { |name| "spec/ccache/store/#{name}_spec.rb" },
              *%w[reading writing].map { |name| "spec/remote/#{name}_spec.rb" }].freeze

  class << self
    # All specs, each once. They may run side by side: each starts servers of its own, at free
    # ports, and measures nothing but itself.
    #
    # @param except [Array<String>] groups that are left out
    # @return [Array<Array>] a command for each group
    def groups(except: [])
      [*(GROUPS - except).map { |name| group(name, "--pattern", "spec/#{name}/**/*_spec.rb") },
       group("others", "--exclude-pattern", "spec/{native,#{GROUPS.join(",")}}/**/*_spec.rb")]
    end

    # @return [Array<Array>] a command for each other kind of server that is installed
    def servers
      Server.installed.drop(1).map do |binary|
        [{ "CCACHE_TEST_SERVER" => binary }, RbConfig.ruby, "-S", "rspec", "spec/remote", "spec/consistency",
         "spec/package/readme_spec.rb"]
      end
    end

    # Forgets what earlier runs took.
    def forget_times
      FileUtils.rm_rf(TIMES)
    end

    # The slowest examples of all groups.
    def print_slowest(times = TIMES)
      puts "", "The #{SLOWEST} slowest examples:"
      examples = Dir["#{times}/*.json"].flat_map { |file| examples_of(file) }
      examples.max_by(SLOWEST) { |example| example["run_time"] || 0 }.each do |example|
        place = "#{example["file_path"].delete_prefix("./")}:#{example["line_number"]}"
        seconds = format("%<seconds>6.1f", seconds: example["run_time"] || 0)
        puts "  #{seconds} s  #{place}  #{example["full_description"]}"
      end
    end

    private

    # None of a process that did not come to its end.
    def examples_of(file)
      JSON.parse(File.read(file)).fetch("examples")
    rescue JSON::ParserError
      []
    end

    def group(name, *files)
      count_lines = %w[-r./spec/coverage] if ENV["COVERAGE"]
      [RbConfig.ruby, *count_lines, "-S", "rspec", "--format", "progress",
       "--format", "json", "--out", "#{TIMES}/#{name}.json", *files]
    end
  end
end
