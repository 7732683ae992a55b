# frozen_string_literal: true

require_relative "memory"

# What decides whether a soak passes.
RSpec.describe Soak::Memory do
  # Samples of one a minute.
  def drift_of(*bytes, from: 0)
    memory = described_class.new
    bytes.each_with_index { |sample, minute| memory.add(minute * 60.0, sample) }
    memory.drift(from: from)
  end

  it "sees no drift in memory that is flat, or goes up and down" do
    expect(drift_of(100, 100, 100)).to be_within(0.001).of(0)
    expect(drift_of(100, 110, 90, 110, 100)).to be_within(0.001).of(0)
  end

  it "tells the growth from the first to the last moment, in percent of the mean" do
    expect(drift_of(95, 100, 105)).to be_within(0.001).of(10)
    expect(drift_of(105, 100, 95)).to be_within(0.001).of(-10)
  end

  it "sees a slow leak in noise that is larger" do
    noise = Random.new(1)
    expect(drift_of(*Array.new(30) { |minute| 1000 + minute + noise.rand(-10..10) })).to be > 1
  end

  it "leaves the warm-up out" do
    expect(drift_of(10, 50, 100, 100, 100, from: 120)).to be_within(0.001).of(0)
  end

  it "asks for two samples at least" do
    expect { drift_of(100) }.to raise_error(/two samples/)
  end

  it "measures this process" do
    expect(described_class.resident).to be > 1_000_000
  end
end
