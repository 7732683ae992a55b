# frozen_string_literal: true

# How often things are done: less before each commit than at length (DEEP=1, which
# `bin/test --deep` sets), and least where every allocation is a garbage collection
# (GC_STRESS=1), and where every instruction is watched (MEMCHECK=1).
module Scale
  def self.stressed?
    ENV["GC_STRESS"] == "1"
  end

  def self.small?
    stressed? || ENV["MEMCHECK"] == "1"
  end

  def self.deep?
    ENV["DEEP"] == "1"
  end

  # @param quick [Integer] where count would take long
  # @return [Integer] count, or the quick or the small one
  def self.of(count, small:, quick: count)
    return small if small?

    deep? ? count : quick
  end
end
