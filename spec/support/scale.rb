# frozen_string_literal: true

# How often things are done: less where every allocation is a garbage collection.
module Scale
  def self.stressed?
    ENV["GC_STRESS"] == "1"
  end

  # @return [Integer] count, or the smaller one under GC.stress
  def self.of(count, stressed:)
    stressed? ? stressed : count
  end
end
