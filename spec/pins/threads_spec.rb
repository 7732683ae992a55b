# frozen_string_literal: true

# Invariant G8: what is raised, thrown or killed leaves every structure valid and
# every waiter awake.
#
# To see red: in lib/ccache/coalescer.rb take the `ensure` out of `run` (waiters
# sleep for ever), or in store.rb the one of `load_under_lease`.
RSpec.describe "Threads" do
  # Made before any thread is: RSpec's lock of `let` does not stand Thread#kill.
  let!(:store) { Ccache::Store.new(max_entries: 200) }
  let!(:keys) { Array.new(300) { |number| "key#{number}" } }

  def mixed(random)
    key = keys.sample(random: random)
    case random.rand(12)
    when 0 then store.set(key, Object.new, expires_in: 0.01)
    when 1 then store.delete(key)
    when 2 then store.update(key) { |draft| draft }
    when 3 then store.each { |name, _| break name }
    when 4 then store.fetch_multi(*keys.sample(3, random: random)) { |name| [name] }
    when 5 then store.clear if random.rand(100).zero?
    when 6 then store.entry(key)
    when 7..9 then store.fetch(key) { misbehave(random) }
    else store[key] = [key]
    end
  end

  # A loader that returns, raises, sleeps, throws, or fetches another key.
  def misbehave(random)
    case random.rand(6)
    when 0 then raise IOError
    when 1 then sleep(0.001)
    when 2 then throw :out
    when 3 then store.fetch(keys.sample(random: random)) { [1] }
    when 4 then Thread.pass
    end
    [Object.new.to_s]
  end

  def worker(seed, steps)
    Thread.new do
      Thread.current.report_on_exception = false
      random = Random.new(seed)
      steps.times do
        catch(:out) { Timeout.timeout(random.rand(0.05)) { mixed(random) } }
      rescue IOError, Timeout::Error, Ccache::PreconditionFailed, Ccache::InvalidValue
        nil
      end
    end
  end

  it "may do anything at once and be killed anywhere; the store works on and nobody waits" do
    steps = Scale.of(600, small: 5)
    threads = Array.new(16) { |seed| worker(seed, steps) }
    random = Random.new(99)
    40.times do |number|
      sleep(random.rand(0.02))
      victim = random.rand(16)
      threads[victim].kill
      threads << worker(100 + number, steps / 10)
    end
    join(threads, within: 200)
    expect([Coalescing.flights(store), Ccache::Testing.leases(store)]).to eq([0, 0])
    # A walk that was killed between two lines leaves its snapshot to the GC.
    eventually { GC.start || store.pin_list.size == store.size }
    expect(store.size).to be <= 200
    keys.each { |key| expect(store.fetch(key) { "again" }).not_to be_nil }
  end

  # Whether another thread ran during the block.
  def shared?
    ticks = 0
    ticker = Thread.new { loop { ticks += 1 and Thread.pass } }
    eventually { ticks.positive? }
    before = ticks
    yield
    ticks > before
  ensure
    ticker.kill.join
  end

  it "run while one clears a large store" do
    store = Ccache::Store.new
    # A busy machine may wake the other thread too late for one clear.
    shared = Array.new(10).any? do
      without_stress { 300_000.times { |number| store["key#{number}"] = number } }
      shared? { store.clear }
    end
    expect(shared).to be(true)
  end

  it "see a panic of ours as Ruby's `fatal`, which unwinds and ends the process in order" do
    program = <<~'RUBY'
      at_exit { puts "at_exit" }
      begin
        Ccache::Testing.panic_without_gvl
      ensure
        puts "ensure"
      end
    RUBY
    outcome = run_ruby(program)
    expect(outcome.status.exitstatus).to eq(1)
    expect(outcome.output).to include("on purpose", "ensure", "at_exit", "(fatal)")
  end

  it "go on while another one is outside the GVL, and can be killed before it is" do
    sleeper = Thread.new { Ccache::Testing.sleep_without_gvl(3000) }
    ticks = 0
    ticks += 1 while sleeper.alive? && ticks < 1000
    expect([ticks, sleeper.alive?]).to eq([1000, true])
    join(sleeper)
  end
end

# A look into the coalescer of the main Ractor: loads of this store that have not
# ended.
module Coalescing
  def self.flights(store)
    flights = Ccache::Coalescer.current.instance_variable_get(:@flights)
    flights.count { |(owner, _key), _flight| owner.equal?(store) }
  end
end
