# frozen_string_literal: true

require "rbconfig"
require_relative "record"

module Consistency
  # A worker process, seen from outside.
  class Client
    PROGRAM = File.join(__dir__, "worker.rb")
    LIBRARY = File.expand_path("../../lib", __dir__)

    attr_reader :died_at

    def initialize(settings)
      @settings = settings
      command = [RbConfig.ruby, "-w", "-W:no-experimental", "-I", LIBRARY, PROGRAM]
      @io = IO.popen(command, "r+b", err: %i[child out])
      Marshal.dump(settings, @io)
      @io.flush
    end

    def wait_until_ready
      line = @io.gets
      raise "a worker did not start: #{line}#{@io.read}" unless line == "ready\n"
    end

    def go
      @io.puts
      @io.flush
    end

    # Waits for the end: the store's stats.
    def finish
      output = @io.read
      reap
      raise "a worker failed: #{output[0, 4000]}" unless output.match?(/\A(\w+=\d+ ?)+\n\z/)

      output.scan(/(\w+)=(\d+)/).to_h { |name, count| [name.to_sym, count.to_i] }
    end

    def kill
      Process.kill(:KILL, @io.pid)
      reap
    end

    def over?
      !@died_at.nil?
    end

    # Bytes that were logged.
    def progress
      logs.sum { |path| File.size(path) }
    end

    def records
      logs.flat_map { |path| Record.read(path, died_at) }
    end

    private

    # Closing it waits for the process.
    def reap
      @io.close
      @died_at = Record.now
    end

    # A worker has a directory of its own.
    def logs
      Dir[File.join(@settings[:directory], "*.log")]
    end
  end
end
