# frozen_string_literal: true

require "objspace"

# Garbage collection, forced and measured.
module Garbage
  def self.stressing
    GC.stress = true
    yield
  ensure
    GC.stress = false
  end

  # Runs the block where its local variables leave no trace on this stack.
  def elsewhere(&block)
    Thread.new(&block).value
  end

  # Collects until the block is true; conservative stack scanning may keep one
  # object for a while, so the stack is written over in between.
  def collect_until(tries: 50)
    tries.times do
      return true if yield

      Thread.new { Array.new(1000) { Object.new } }.join
      GC.start
    end
    yield
  end

  # Living instances, after a full collection.
  def living(klass)
    GC.start
    ObjectSpace.each_object(klass).count
  end

  # Resident memory of this process in bytes.
  def resident_bytes
    File.read("/proc/self/statm").split[1].to_i * 4096
  end
end
