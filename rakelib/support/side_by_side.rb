# frozen_string_literal: true

require "tempfile"

# Commands of which each leaves most of the machine idle, at the same time. What one prints
# stays together, and comes when it has ended.
module SideBySide
  class << self
    # @param commands [Array<Array>] each as for Kernel#spawn
    # @raise [SystemExit] if one failed, after the others have ended
    def run(*commands)
      commands.each { |command| puts shown(command) }
      failed = commands.map { |command| start(command) }.reject { |running| succeeded?(*running) }
      abort "failed: #{failed.map { |command,| shown(command) }.join("\n")}" unless failed.empty?
    end

    private

    def start(command)
      output = Tempfile.new("ccache")
      [command, output, Process.spawn(*command, %i[out err] => output.path)]
    end

    def succeeded?(command, output, pid)
      _, status = Process.wait2(pid)
      puts "", shown(command), output.read
      status.success?
    ensure
      output.close!
    end

    def shown(command)
      command.map { |part| part.is_a?(Hash) ? part.map { |pair| pair.join("=") } : part }.join(" ")
    end
  end
end
