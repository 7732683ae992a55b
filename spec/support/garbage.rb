# frozen_string_literal: true

require "objspace"

# Garbage collection, forced and measured.
module Garbage
  # At every allocation a minor collection, which is the one that misses what no
  # write barrier announced; with `full` a full one, twenty times as slow.
  NO_MAJOR = 1

  def self.stressing(full: false)
    GC.start
    GC.stress = full ? true : NO_MAJOR
    yield
  ensure
    GC.stress = false
    GC.start
  end

  # For what is about the number or the length of collections.
  def without_stress
    before = GC.stress
    GC.stress = false
    yield
  ensure
    GC.stress = before
  end

  # Runs the block where its local variables leave no trace on this stack.
  def elsewhere(&block)
    Thread.new(&block).value
  end

  # The machine's stack is scanned conservatively, so a stale word on it may keep
  # an object for as long as it likes: what must be collected is made MANY times,
  # and a STRAY or two may stay. (A leak would keep them all.)
  MANY = 20
  STRAYS = 2

  # Collects until the block is true; the stack is written over in between.
  def collect_until(tries: 50)
    tries.times do
      return true if yield

      Thread.new { Array.new(1000) { Object.new } }.join
      GC.start
    end
    yield
  end

  # Living instances, after a full collection; counted on a stack of their own,
  # where the walk leaves what it found.
  def living(klass)
    GC.start
    elsewhere { ObjectSpace.each_object(klass).count }
  end

  # Whether all instances but strays get collected.
  def collected?(klass)
    collect_until { living(klass) <= STRAYS }
  end
end
