# frozen_string_literal: true

# The judge is judged first: by histories that are known to be good or bad.
#
# To see red: let Checker#done also keep configurations in which the step was not done.

require_relative "checker"
require_relative "history"

RSpec.describe Consistency::Checker do
  # A step takes the time between the two numbers.
  def step(kind, times, **operands)
    Consistency::Step.new(kind: kind, call: times.begin, return: times.end, optional: false, **operands)
  end

  def write(value, times) = step(:write, times, value: value)
  def read(value, times) = step(:read, times, expected: value)
  def swap(expected, value, times) = step(:swap, times, expected: expected, value: value)
  def remove(times) = step(:remove, times)
  def load(value, times) = step(:load, times, value: value)
  def differ(value, times) = step(:differ, times, expected: value)
  def nothing = Consistency::Step::ABSENT

  def be_linearizable
    satisfy("be linearizable") { |steps| described_class.violation(steps.shuffle).nil? }
  end

  describe "finds bad" do
    it "a read of an old value after a newer write has returned" do
      expect([write(1, 0..1), write(2, 2..3), read(1, 4..5)]).not_to be_linearizable
    end

    it "a read of an old value after another reader got the newer one" do
      expect([write(1, 0..1), write(2, 2..9), read(2, 3..4), read(1, 5..6)]).not_to be_linearizable
    end

    it "two readers that see two writes in different orders" do
      writes = [write(1, 0..9), write(2, 0..9)]
      expect([*writes, read(1, 1..2), read(2, 3..4), read(1, 5..6)]).not_to be_linearizable
    end

    it "two compare-and-sets from the same value that both succeed" do
      expect([write(1, 0..1), swap(1, 2, 2..5), swap(1, 3, 2..5)]).not_to be_linearizable
    end

    it "a compare-and-set that succeeded and left no trace" do
      expect([write(1, 0..1), swap(1, 2, 2..3), read(1, 4..5)]).not_to be_linearizable
    end

    it "a compare-and-set that was refused while the key held what it expected" do
      expect([write(1, 0..1), differ(1, 2..3)]).not_to be_linearizable
    end

    it "a compare-and-set from nothing where something was" do
      expect([write(1, 0..1), swap(nothing, 2, 2..3)]).not_to be_linearizable
    end

    it "a value that is back after its removal" do
      expect([write(1, 0..1), remove(2..3), read(1, 4..5)]).not_to be_linearizable
    end

    it "a removal that found what another one had removed" do
      expect([write(1, 0..1), remove(2..5), remove(2..5)]).not_to be_linearizable
    end

    it "a value that was lost" do
      expect([write(1, 0..1), read(nothing, 2..3)]).not_to be_linearizable
    end

    it "a value that was never written" do
      expect([write(1, 0..1), read(2, 2..3)]).not_to be_linearizable
    end

    it "a value that was read before it was written" do
      expect([read(1, 0..1), write(1, 2..3)]).not_to be_linearizable
    end

    it "a load where there was a value all the time" do
      expect([write(1, 0..1), load(2, 2..3)]).not_to be_linearizable
    end

    it "a loaded value that took the place of another one" do
      expect([load(1, 0..9), write(2, 1..2), read(2, 3..4), read(1, 5..6)]).not_to be_linearizable
    end
  end

  describe "accepts" do
    it "reads that overlap a write, before and after it" do
      expect([write(1, 0..1), write(2, 2..9), read(1, 3..4), read(2, 5..6)]).to be_linearizable
    end

    it "writes whose order only a later read tells" do
      writes = [write(1, 0..5), write(2, 0..5), write(3, 0..5)]
      [1, 2, 3].each { |last| expect([*writes, read(last, 6..7)]).to be_linearizable }
    end

    it "a chain of compare-and-sets that overlap, in the only order there is" do
      chain = (1..8).to_a.shuffle.map { |value| swap(value - 1, value, 0..9) }
      expect([*chain, read(8, 10..11)]).to be_linearizable
      expect([*chain, read(7, 10..11)]).not_to be_linearizable
    end

    it "one of two compare-and-sets that is refused" do
      expect([write(1, 0..1), swap(1, 2, 2..5), differ(1, 2..5)]).to be_linearizable
    end

    it "a load that stored its value, and one that came second" do
      expect([load(1, 0..9), read(1, 10..11)]).to be_linearizable
      expect([load(1, 0..9), write(2, 1..2), read(2, 10..11)]).to be_linearizable
    end

    it "the same value written and removed over and over" do
      again = (0..90).step(10).flat_map { |start| [write(1, start..(start + 3)), remove((start + 4)..(start + 5))] }
      expect([*again, read(1, 52..52), read(nothing, 56..57)]).to be_linearizable
      expect([*again, read(1, 56..57)]).not_to be_linearizable
    end
  end

  it "agrees with the plainest search there is" do
    random = Random.new(1)
    verdicts = Array.new(Scale.of(5000, small: 100)) do
      steps = Array.new(6) { any_step(random) }
      verdict = described_class.violation(steps).nil?
      expect(verdict).to eq(explained?(steps + (steps.select(&:optional) * 2), nothing)), -> { steps.inspect }
      verdict
    end
    expect(verdicts.count(true)).to be_between(verdicts.size / 10, verdicts.size * 9 / 10)
  end

  def any_step(random)
    call = random.rand(25)
    kind, operands = [[:write, { value: 1 }], [:write, { value: 2 }], [:write, { value: nothing }],
                      [:read, { expected: 1 }], [:read, { expected: nothing }], [:remove, {}], [:load, { value: 3 }],
                      [:swap, { expected: 1, value: 3 }], [:differ, { expected: 2 }]].sample(random: random)
    step(kind, call..(call + random.rand(20)), **operands).tap do |step|
      step.optional = !step.reading? && random.rand(4).zero?
    end
  end

  # Tries as next step each that nothing which is left to do returned before. What is
  # optional is there three times.
  def explained?(left, state, tried = Set.new)
    return true if left.all?(&:optional)
    return false unless tried.add?([state, left.map(&:object_id)])

    left.each_with_index.any? do |step, index|
      next if left.any? { |other| !other.optional && other.return < step.call }

      rest = left.reject.with_index { |other, at| at == index || other.return < step.call }
      outcomes(step, state).any? { |after| explained?(rest, after, tried) }
    end
  end

  def outcomes(step, state)
    return step.outcomes(state) unless step.reading?

    (step.kind == :read) == (state == step.expected) ? [state] : []
  end
end

RSpec.describe Consistency::History do
  def record(name, times, outcome, value: 0, expected: 0, result: 0)
    Consistency::Record.new(name, 0, value, expected, ms(times.begin), outcome, result, ms(times.end))
  end

  def ms(count) = count * 1_000_000

  def violation(*records, **options)
    Consistency::Checker.violation(described_class.new(records, **options).steps.fetch(0))
  end

  def get(value, times) = record(:get, times, :read, result: value)
  def set(value, times, outcome = :done) = record(:set, times, outcome, value: value)
  def delete(times, outcome = :done) = record(:delete, times, outcome, result: 1)
  def fetch(value, times, outcome) = record(:fetch, times, outcome, value: value)
  def cas(expected, value, times, outcome = :done) = record(:cas, times, outcome, value: value, expected: expected)

  it "lets a write of unknown outcome take effect late, or never" do
    expect(violation(set(1, 0..1), set(2, 2..3, :unknown), get(1, 4..5), get(2, 6..7), get(2, 8..9))).to be_nil
    expect(violation(set(1, 0..1), set(2, 2..3, :unknown), get(1, 4..5), get(1, 6..7))).to be_nil
  end

  it "lets a write of unknown outcome take effect but once" do
    expect(violation(set(1, 0..1), set(2, 2..3, :unknown), get(2, 4..5), get(1, 6..7))).not_to be_nil
    expect(violation(set(2, 2..3, :unknown), get(2, 4..5), delete(6..7), get(2, 8..9))).not_to be_nil
  end

  it "lets no write take effect before its call" do
    expect(violation(set(1, 0..1), get(2, 2..3), set(2, 4..5, :unknown))).not_to be_nil
  end

  it "lets a removal of unknown outcome take effect late, or never" do
    expect(violation(set(1, 0..1), delete(2..3, :unknown), get(1, 4..5), get(0, 6..7))).to be_nil
    expect(violation(set(1, 0..1), delete(2..3, :unknown), get(1, 4..5), get(1, 6..7))).to be_nil
  end

  it "lets nothing take effect after the server has done all that was sent to it" do
    late = [set(1, 0..1), delete(2..3, :unknown), get(1, 400..401), get(0, 402..403)]
    expect(violation(*late, barriers: [[ms(4), ms(5)]])).to be_nil
    expect(violation(*late, barriers: [[ms(300), ms(301)]])).not_to be_nil
  end

  it "takes what nobody read for a reason to refuse a compare-and-set, or to find something" do
    refused = [set(1, 0..1), cas(1, 2, 4..5, :refused)]
    expect(violation(*refused)).not_to be_nil
    expect(violation(*refused, set(3, 2..3, :unknown))).to be_nil
    expect(violation(delete(4..5), set(3, 2..3, :unknown))).to be_nil
  end

  it "takes a compare-and-set of unknown outcome for done if its value was read, and what it expected with it" do
    expect(violation(set(1, 0..1, :unknown), cas(1, 2, 2..3, :unknown), get(2, 4..5))).to be_nil
    expect(violation(set(1, 0..1), set(3, 2..3), cas(1, 2, 4..5, :unknown), get(2, 6..7))).not_to be_nil
  end

  it "lets a fetch store what it loaded, leave that, or take it back before it returns" do
    expect(violation(fetch(1, 0..9, :loaded), get(1, 10..11))).to be_nil
    expect(violation(fetch(1, 0..9, :loaded), get(1, 2..3), get(0, 10..11))).to be_nil
    expect(violation(fetch(1, 0..9, :loaded), get(1, 10..11), get(0, 12..13))).not_to be_nil
  end

  it "lets what a fetch could not tell the server take effect late" do
    expect(violation(fetch(1, 0..9, :unstored), get(0, 10..11), get(1, 12..13))).to be_nil
    expect(violation(set(2, 0..1), fetch(1, 2..9, :unstored), get(2, 10..11))).not_to be_nil
  end

  it "explains lost values by an emptied server, but nothing else" do
    lost = [set(1, 0..1), get(0, 8..9)]
    expect(violation(*lost, emptied: [[ms(2), ms(7)]])).to be_nil
    expect(violation(*lost, emptied: [[ms(10), ms(11)]])).not_to be_nil
    expect(violation(*lost, get(1, 12..13), emptied: [[ms(2), ms(7)]])).not_to be_nil
  end

  it "explains lost values by eviction, but no value that came back" do
    expect(violation(set(1, 0..1), get(0, 2..3), evicts: true)).to be_nil
    expect(violation(set(1, 0..1), get(0, 2..3), get(1, 4..5), evicts: true)).not_to be_nil
  end

  it "lets a read be late by max_age, and no more" do
    late = [set(1, 0..1), set(2, 10..11), get(1, 20..21)]
    expect(violation(*late, max_age: ms(10))).to be_nil
    expect(violation(*late, max_age: ms(8))).not_to be_nil
  end
end
