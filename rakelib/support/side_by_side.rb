# frozen_string_literal: true

require "etc"
require "tempfile"

# Commands of which each leaves some of the machine idle, at the same time. What one prints
# stays together, and comes when it has ended; the test runners' own summaries come again at
# the end.
module SideBySide
  # The test runners' last words on what they ran.
  SUMMARIES = /^(?:\d+ examples?, .+|test result: .+)$/
  # One more than there are processors: each waits now and then.
  AT_ONCE = Etc.nprocessors + 1

  # One command, from its start to its end.
  class Job
    attr_reader :command

    # @param command [Array] as for Kernel#spawn
    def initialize(command)
      @command = command
      @output = Tempfile.new("ccache")
      @started = now
      @pid = Process.spawn(*command, %i[out err] => @output.path)
    end

    def pid?(pid)
      @pid == pid
    end

    # @param status [Process::Status] with which it has ended
    def finish(status)
      @is_success = status.success?
      @seconds = now - @started
      puts "", "#{name} (#{took})", text
      $stdout.flush
    end

    def success?
      @is_success
    end

    # @return [String] the command as one types it
    def name
      SideBySide.shown(command)
    end

    # @return [Array<String>] the runner's summaries, empty doctests and the like aside
    def summaries
      text.scan(SUMMARIES).grep_v(/ ok\. 0 passed/)
    end

    def took
      format("%<minutes>d:%<seconds>02d", minutes: @seconds.round / 60, seconds: @seconds.round % 60)
    end

    private

    def text
      @text ||= @output.tap(&:rewind).read.force_encoding(Encoding::UTF_8).scrub.tap { @output.close! }
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end

  class << self
    # @param commands [Array<Array>] each as for Kernel#spawn
    # @param at_once [Integer] how many run at the same time
    # @yield when all have ended, whatever became of them, for what else is to be said
    # @raise [SystemExit] if one failed, after the others have ended
    def run(*commands, at_once: commands.size)
      commands.each { |command| puts shown(command) }
      jobs = finish_all(commands, at_once)
      yield if block_given?
    ensure
      conclude(jobs) if jobs
    end

    def shown(command)
      command.map { |part| part.is_a?(Hash) ? part.map { |pair| pair.join("=") } : part }.flatten.join(" ")
    end

    private

    def conclude(jobs)
      puts "", "Summaries:"
      jobs.each { |job| puts "#{job.name} (#{job.took})", *job.summaries.map { |line| "  #{line}" } }
      $stdout.flush
      failed = jobs.reject(&:success?).map { |job| "  #{job.name}" }
      abort "\nfailed:\n#{failed.join("\n")}" unless failed.empty?
    end

    def finish_all(commands, at_once)
      waiting = commands.dup
      running = []
      finished = []
      until waiting.empty? && running.empty?
        running << Job.new(waiting.shift) while running.size < at_once && !waiting.empty?
        pid, status = Process.wait2
        ended, running = running.partition { |job| job.pid?(pid) }
        finished.concat(ended.each { |job| job.finish(status) })
      end
      finished
    end
  end
end
