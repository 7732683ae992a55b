# frozen_string_literal: true

# How often things are done: less where every allocation is a garbage collection
# (GC_STRESS=1), and where every instruction is watched (MEMCHECK=1).
module Scale
  def self.stressed?
    ENV["GC_STRESS"] == "1"
  end

  def self.small?
    stressed? || ENV["MEMCHECK"] == "1"
  end

  # @return [Integer] count, or the small one
  def self.of(count, small:)
    small? ? small : count
  end
end
