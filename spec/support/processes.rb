# frozen_string_literal: true

require "open3"
require "rbconfig"

# Ruby programs in processes of their own, for what ends a process.
module Processes
  LIBRARY = File.expand_path("../../lib", __dir__)
  # All that this Ruby has, experimental features aside.
  WARNINGS = ["-w", "-W:no-experimental", *("-W:performance" if RUBY_VERSION >= "3.3"),
              *("-W:strict_unused_block" if RUBY_VERSION >= "3.4")].freeze
  Outcome = Struct.new(:status, :output)

  # Runs a program that has ccache loaded; fails if it does not exit by itself.
  def run_ruby(program, *arguments, within: 120)
    command = [RbConfig.ruby, *WARNINGS, "-I", LIBRARY, "-r", "ccache", "-e", program, *arguments]
    output, status = Open3.popen2e(*command, &collector(within))
    Outcome.new(status, output)
  end

  # What a program prints that has to succeed.
  def output_of(program, **options)
    outcome = run_ruby(program, **options)
    expect(outcome).to succeed
    outcome.output
  end

  # Forks, runs the block in the child, and tells its exit status, or :stuck
  # after it had to be killed.
  def status_of_fork(within: 60)
    pid = fork do
      yield
      exit! 0
    rescue Exception => e # rubocop:disable Lint/RescueException -- a child must not return into RSpec
      warn e.full_message
      exit! 1
    end
    wait_for_process(pid, within)
  end

  def wait_for_process(pid, within = 60)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + within
    loop do
      _, status = Process.wait2(pid, Process::WNOHANG)
      return status if status
      break if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep 0.002
    end
    Process.kill(:KILL, pid)
    Process.wait(pid)
    :stuck
  end

  private

  def collector(within)
    lambda do |stdin, output, waiter|
      stdin.close
      reader = Thread.new { output.read }
      unless waiter.join(within)
        Process.kill(:KILL, waiter.pid)
        raise "the program did not end within #{within} s:\n#{reader.value}"
      end
      [reader.value, waiter.value]
    end
  end
end

RSpec::Matchers.define :succeed do
  match { |outcome| outcome.status.success? }
  failure_message { |outcome| "#{outcome.status}\n#{outcome.output[0, 4000]}" }
end
