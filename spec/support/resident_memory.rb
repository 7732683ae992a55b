# frozen_string_literal: true

require "etc"

# What this process has in memory.
module ResidentMemory
  LINUX = "/proc/self/statm"

  # @return [Integer]
  def self.bytes
    return Integer(`ps -o rss= -p #{Process.pid}`) * 1024 unless File.exist?(LINUX)

    File.read(LINUX).split[1].to_i * Etc.sysconf(Etc::SC_PAGESIZE)
  end
end
