# frozen_string_literal: true

# What this process has started or written must not outlive it, however it ends: by an error
# at load, too, after which RSpec runs no hooks.
module ThisProcess
  # Not in its forks.
  def self.at_exit
    owner = Process.pid
    Kernel.at_exit { yield if Process.pid == owner }
  end
end
