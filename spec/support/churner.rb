# frozen_string_literal: true

# Writes, reads and removes entries of a bounded store at random, and looks now and then
# how far the bounds are exceeded.
class Churner
  KEYS = 5_000
  SIZES = (0..400)
  LEAST_STEPS = 50

  attr_reader :excess, :wrong

  def initialize(store, seed, max_entries, max_bytes)
    @store = store
    @random = Random.new(seed)
    @max_entries = max_entries
    @max_bytes = max_bytes
    @excess = 0.0
    @wrong = 0
  end

  # Until then, and however slow the machine is, long enough to fill something.
  def run(until_time)
    LEAST_STEPS.times { step }
    step while Process.clock_gettime(Process::CLOCK_MONOTONIC) < until_time
  end

  private

  def step
    key = "key#{@random.rand(KEYS)}"
    case @random.rand(20)
    when 0..11 then read(key)
    when 12..16 then @store[key] = value(key)
    when 17 then @store.set(key, value(key), expires_in: @random.rand * 0.3)
    when 18 then @store.delete(key)
    else @random.rand(200).zero? ? @store.clear : look
    end
  end

  def value(key)
    [key, "x" * @random.rand(SIZES)]
  end

  def read(key)
    value = @store[key]
    @wrong += 1 unless value.nil? || value.first == key
  end

  # A thread that was about to write may have made room already and not used it.
  def look
    stats = @store.stats
    @excess = [@excess, stats[:entries].fdiv(@max_entries), stats[:weight].fdiv(@max_bytes)].max
  end
end
