# frozen_string_literal: true

require "timeout"
require_relative "../bench/suite"
require_relative "../bench/promises"
require_relative "../bench/support/results"

# Runs one, in a group of its own: whatever it has started ends with it.
run_bench = lambda do |name|
  Bench::Results.forget(name)
  pid = Process.spawn(RbConfig.ruby, "bench/#{name}.rb", pgroup: true)
  limit = Integer(ENV.fetch("BENCH_LIMIT", "600"))
  Timeout.timeout(limit, nil, "bench:#{name} took more than #{limit} s") { Process.wait(pid) }
  pid = nil
  raise "bench:#{name} failed" unless $CHILD_STATUS.success?
ensure
  if pid
    Process.kill(:TERM, -pid)
    Process.wait(pid)
  end
end

# Runs them one by one; one that fails does not keep the others from running.
run_all = lambda do |names|
  names.each do |name|
    Rake::Task["bench:#{name}"].invoke
  rescue RuntimeError => e
    warn e.message
  end
end

desc "Run all benches and write docs/benchmarks.md"
task bench: :compile do
  run_all.call(Bench::NAMES)
  Rake::Task["bench:page"].invoke # fails, after it has written, if a bench did
end

namespace :bench do
  Bench::SUITE.values.reduce(:merge).each do |name, sentence|
    desc sentence
    task(name => :compile) { run_bench.call(name) }
  end

  desc "Count the instructions of an operation (BEFORE=lib folder of another build, to compare)"
  task instructions: :compile do
    ruby "bench/instructions.rb", *ENV.fetch("BEFORE", nil), verbose: false
  end

  desc "Write docs/benchmarks.md of what the benches have measured so far"
  task :page do
    ruby "bench/page.rb", verbose: false
  end

  desc "Run the benches of the promised figures, and fail if one is missed"
  task check: :compile do
    run_all.call(Bench::PROMISES.map(&:bench).uniq)
    ruby "bench/check.rb", verbose: false
  end
end
