# frozen_string_literal: true

require "rspec/core/rake_task"
require_relative "support/side_by_side"
require_relative "support/specs"

desc "Run the specs, but for those of the railtie, and say which examples are the slowest"
task spec: :compile do
  Checks.run(*Specs.groups(except: %w[railtie]))
end

namespace :spec do
  RSpec::Core::RakeTask.new(railtie: :compile) do |task|
    task.pattern = "spec/railtie/**/*_spec.rb"
    task.ruby_opts = "-r./spec/coverage" if ENV["COVERAGE"]
  end
  Rake::Task["spec:railtie"].clear_comments.add_description("Run the specs of the railtie, in a real app under Puma")

  RSpec::Core::RakeTask.new(native: %i[compile native]) { |task| task.pattern = Specs::NATIVE }
  Rake::Task["spec:native"].clear_comments.add_description("Build the platform gem, and use it where no compiler is")

  desc "Run the specs again with a minor GC at every allocation (smaller counts)"
  task(stress: :compile) { SideBySide.run(*Specs::STRESS) }

  desc "Run the specs of memory safety under valgrind's memcheck (smaller counts)"
  task(memcheck: :compile) { sh(*Specs::MEMCHECK) }

  desc "Run spec:stress and spec:memcheck side by side"
  task(memory: :compile) { SideBySide.run(*Specs::STRESS, Specs::MEMCHECK) }

  desc "Run the specs with a server again, with each other kind of server that is installed"
  task(servers: :compile) { Specs.servers.each { |command| sh(*command) } }
end
