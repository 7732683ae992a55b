# frozen_string_literal: true

require "rspec/core/rake_task"
require_relative "../spec/support/servers"
require_relative "support/side_by_side"

# Rails is loaded by the specs of the railtie, in a process of their own.
RAILTIE_SPECS = "spec/railtie/**/*_spec.rb"

# The platform gem's are about what rake native has made, which takes its time.
NATIVE_SPECS = "spec/native/**/*_spec.rb"

# Without a server and with one. Not what starts programs or is Ruby alone, on top of what the
# others go through.
STRESS = [%w[--exclude-pattern spec/{remote,consistency,package,rails,rack,railtie,native}/**/*_spec.rb],
          %w[--pattern spec/{remote,consistency}/**/*_spec.rb]].map do |files|
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

# Counts the lines that are run, where rake coverage:ruby wants to know.
count_lines = ->(task) { task.ruby_opts = "-r./spec/coverage" if ENV["COVERAGE"] }

RSpec::Core::RakeTask.new(spec: :compile) do |task|
  task.exclude_pattern = "spec/{railtie,native}/**/*_spec.rb"
  count_lines.call(task)
end
Rake::Task["spec"].clear_comments.add_description("Run the specs")

namespace :spec do
  RSpec::Core::RakeTask.new(railtie: :compile) do |task|
    task.pattern = RAILTIE_SPECS
    count_lines.call(task)
  end
  Rake::Task["spec:railtie"].clear_comments.add_description("Run the specs of the railtie, in a real app under Puma")

  RSpec::Core::RakeTask.new(native: %i[compile native]) { |task| task.pattern = NATIVE_SPECS }
  Rake::Task["spec:native"].clear_comments.add_description("Build the platform gem, and use it where no compiler is")

  desc "Run the specs again with a minor GC at every allocation (smaller counts)"
  task(stress: :compile) { SideBySide.run(*STRESS) }

  desc "Run the specs of memory safety under valgrind's memcheck (smaller counts)"
  task(memcheck: :compile) { sh(*MEMCHECK) }

  desc "Run spec:stress and spec:memcheck side by side"
  task(memory: :compile) { SideBySide.run(*STRESS, MEMCHECK) }

  desc "Run the specs with a server again, with each other kind of server that is installed"
  task servers: :compile do
    Server.installed.drop(1).each do |binary|
      sh({ "CCACHE_TEST_SERVER" => binary }, RbConfig.ruby, "-S", "rspec", "spec/remote", "spec/consistency",
         "spec/package/readme_spec.rb")
    end
  end
end
