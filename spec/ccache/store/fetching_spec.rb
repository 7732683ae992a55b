# frozen_string_literal: true

require_relative "../../support/fiber_scheduler"

RSpec.describe Ccache::Store, "fetching" do
  subject!(:store) { described_class.new }

  # A load that waits for `go`, in a thread of its own that is inside it already.
  def slow_fetch(go, started = Queue.new, **options, &block)
    thread = Thread.new do
      Thread.current.report_on_exception = false
      store.fetch("key", **options) do
        started << true
        go.pop
        block.call
      end
    end
    started.pop
    thread
  end

  def waiting_fetch(**options, &block)
    thread = Thread.new { store.fetch("key", **options, &block) }
    until_asleep(thread)
    thread
  end

  it "loads once and then returns the same object" do
    loaded = store.fetch("key") { Object.new }
    expect(store.fetch("key") { raise "loaded twice" }).to equal(loaded)
  end

  it "yields the key to the loader" do
    expect(store.fetch("key") { |key| key.upcase }).to eq("KEY")
  end

  it "stores nil like any value, unless told to skip it" do
    expect(store.fetch("nil") { nil }).to be_nil
    expect(store.fetch("nil") { raise "loaded twice" }).to be_nil
    expect(store.fetch("skipped", skip_nil: true) { nil }).to be_nil
    expect(store.fetch("skipped", skip_nil: true) { "now" }).to eq("now")
  end

  it "runs one loader however many threads come, and shares its very object" do
    go = Queue.new
    leader = slow_fetch(go) { Object.new }
    waiters = Array.new(8) { waiting_fetch { raise "a second loader" } }
    go << true
    objects = join(leader, waiters)
    expect(objects.uniq(&:object_id).size).to eq(1)
    expect(store.stats).to include(loads: 1, coalesced: 8)
  end

  it "runs loaders of different keys at the same time" do
    go = Queue.new
    leader = slow_fetch(go) { 1 }
    expect(store.fetch("other") { 2 }).to eq(2)
    go << true
    expect(join(leader)).to eq([1])
  end

  it "raises in the caller whose loader raised alone; the next waiter loads" do
    go = Queue.new
    leader = slow_fetch(go) { raise IOError, "mine" }
    waiter = waiting_fetch { "second" }
    go << true
    expect { join(leader) }.to raise_error(IOError, "mine")
    expect(join(waiter)).to eq(["second"])
  end

  it "lets the next waiter load when a loader throws" do
    go = Queue.new
    leader = Thread.new { catch(:out) { slow_fetch_here(go) } }
    until_asleep(leader)
    waiter = waiting_fetch { "second" }
    go << true
    expect(join(leader, waiter)).to eq(%w[thrown second])
  end

  def slow_fetch_here(go)
    store.fetch("key") { go.pop and throw(:out, "thrown") }
  end

  it "lets the next waiter load when a loader is killed" do
    leader = slow_fetch(Queue.new) { "never" }
    waiter = waiting_fetch { "second" }
    leader.kill
    expect(join(leader, waiter)).to eq([nil, "second"])
  end

  # Else who comes after a set and a delete of that very value would be given it.
  it "lets nobody join once the value is there and about to be stored" do
    reached, go = Array.new(2) { Queue.new }
    slow_copy = Class.new { define_method(:initialize_copy) { |_| reached << true and go.pop } }
    leader = Thread.new { store.fetch("key", values: :copied) { slow_copy.new } }
    reached.pop
    expect(store.fetch("key") { "my own" }).to eq("my own")
    go << true
    join(leader)
    expect(store["key"]).to eq("my own")
  end

  it "lets a waiter be killed or time out without harm to the others" do
    go = Queue.new
    leader = slow_fetch(go) { "loaded" }
    killed = waiting_fetch { raise "a second loader" }
    waiter = waiting_fetch { raise "a second loader" }
    expect { Timeout.timeout(0.05) { store.fetch("key") { raise "a second loader" } } }
      .to raise_error(Timeout::Error)
    killed.kill
    go << true
    expect(join(killed, leader, waiter)).to eq([nil, "loaded", "loaded"])
  end

  it "runs the block at once when the loader fetches the same key" do
    expect(store.fetch("key") { "outer " + store.fetch("key") { "inner" } }).to eq("outer inner")
  end

  it "runs the block at once in an enumerator of the loader's own thread" do
    inner = -> { Enumerator.new { |values| values << store.fetch("key") { "inner" } }.next }
    expect(store.fetch("key") { "outer " + inner.call }).to eq("outer inner")
  end

  it "does not let two loaders wait for each other" do
    started = Queue.new
    both = Array.new(2) { Queue.new }
    threads = [%w[a b], %w[b a]].each_with_index.map do |(mine, theirs), index|
      Thread.new do
        store.fetch(mine) do
          started << true
          both[index].pop
          store.fetch(theirs) { "#{theirs} by #{mine}" }
        end
      end
    end
    2.times { started.pop }
    both.each { |queue| queue << true }
    expect(join(threads).uniq.size).to be_between(1, 2)
    expect(store.size).to eq(2)
  end

  it "returns what was loaded but does not store it over a write that came meanwhile" do
    go = Queue.new
    leader = slow_fetch(go) { "old" }
    store["key"] = "new"
    go << true
    expect(join(leader)).to eq(["old"])
    expect(store["key"]).to eq("new")
  end

  it "does not store what was loaded before a delete, and gives it to nobody else" do
    [-> { store.delete("key") }, -> { store.clear }, -> { store.delete_multi("key") }].each do |removal|
      go = Queue.new
      leader = slow_fetch(go) { "old" }
      removal.call
      waiter = waiting_fetch { "new" }
      go << true
      expect(join(leader, waiter)).to eq(%w[old new])
      expect(store["key"]).to eq("new")
      store.delete("key")
    end
  end

  it "gives each of those who wait for a fresh value an object of its own" do
    go = Queue.new
    leader = slow_fetch(go, values: :fresh) { ["loaded"] }
    waiters = Array.new(2) { waiting_fetch(values: :fresh) { raise "a second loader" } }
    go << true
    lists = join(leader, waiters)
    expect(lists).to eq([["loaded"]] * 3)
    expect(lists.uniq(&:object_id).size).to eq(3)
    expect(lists.map(&:frozen?)).to eq([false] * 3)
    expect(store.fetch("key", values: :fresh) { raise "loaded twice" }).to eq(["loaded"])
  end

  it "waits in a fiber scheduler without blocking the thread's other fibers" do
    order = []
    FiberScheduler.thread do
      Fiber.schedule { order << store.fetch("key") { sleep(0.05) && "loaded" } }
      Fiber.schedule { order << store.fetch("key") { raise "a second loader" } }
      Fiber.schedule { order << "meanwhile" }
    end.join(50)
    expect(order).to eq(%w[meanwhile loaded loaded])
    expect(store.stats).to include(loads: 1, coalesced: 1)
  end

  it "ends when an inner fetch deletes what the outer one loads" do
    runs = 0
    inner = lambda do
      store.fetch("key") do
        runs += 1
        store.delete("key")
      end
    end
    expect(store.fetch("key") { inner.call || "outer" }).to eq("outer")
    expect(runs).to eq(1)
  end

  it "does not let a third caller spin on two that wait for each other" do
    started = Queue.new
    go = Queue.new
    both = [%w[a b], %w[b a]].map do |mine, theirs|
      Thread.new { store.fetch(mine) { started << true and go.pop and store.fetch(theirs) { sleep(0.3) && 1 } } }
    end
    2.times { started.pop }
    2.times { go << true }
    third = Thread.new { store.fetch("a") { 3 } }
    until_asleep(third)
    expect(join(both, third)).to all(be_an(Integer))
  end

  it "stores under the key as it was when the caller's String changes during the load" do
    key = +"key"
    store.fetch(key) { key << " changed" and "loaded" }
    expect(store.keys).to eq(["key"])
    key = +"key"
    store.update(key) { |draft| key << " changed" and draft << "!" }
    expect([store["key"], store.size, Ccache::Testing.leases(store)]).to eq(["loaded!", 1, 0])
  end

  it "leaves nobody waiting for a loader that ran out of stack" do
    recursion = ->(number) { store.fetch("key#{number}") { recursion.call(number + 1) } }
    survivor = Queue.new
    thread = Thread.new do
      recursion.call(0)
    rescue SystemStackError
      survivor.pop
    end
    without_stress { until_asleep(thread) } # each collection would look through all of that stack
    values = Thread.new { Array.new(Scale.of(3000, small: 50)) { |number| store.fetch("key#{number}") { number } } }
    expect(join(values).first.size).to eq(Scale.of(3000, small: 50))
    survivor << true
    join(thread)
  end

  # Stops the loader in the moment between its write and its landing.
  def fetch_that_stops_after_its_write(written, go)
    Thread.new do
      me = Thread.current
      trace = TracePoint.new(:c_return) do |event|
        written << true and go.pop if event.method_id == :_write && Thread.current == me && event.self.equal?(store)
      end
      trace.enable { store.fetch("key") { "old" } }
    end
  end

  it "gives nobody what a delete before their fetch has removed" do
    written = Queue.new
    go = Queue.new
    leader = fetch_that_stops_after_its_write(written, go)
    written.pop
    store.delete("key")
    newer = Thread.new { store.fetch("key") { "new" } }
    expect(join(newer)).to eq(["new"])
    go << true
    expect(join(leader)).to eq(["old"])
    expect(store["key"]).to eq("new")
  end

  it "knows loads by the key's bytes, whatever a subclass of String says of itself" do
    odd = Class.new(String) { def to_s = "same" }
    go = Queue.new
    started = Queue.new
    leader = Thread.new { store.fetch(odd.new("a")) { started << true and go.pop and "a's" } }
    started.pop
    other = Thread.new { store.fetch(odd.new("b")) { "b's" } }
    expect(join(other)).to eq(["b's"])
    go << true
    expect(join(leader)).to eq(["a's"])
    expect(store.keys).to contain_exactly("a", "b")
  end

  it "does not wait for a fiber whose thread waits for the load that would wait" do
    started = Queue.new
    first = Thread.new do
      suspended = Fiber.new { store.fetch("one") { Fiber.yield || 1 } }
      suspended.resume
      started.pop
      store.fetch("two") { 2 }
      suspended.resume
    end
    second = Thread.new do
      store.fetch("two") do
        started << true
        until_asleep(first)
        store.fetch("one") { "not waited for" }
      end
    end
    expect(join(first, second)).to eq([1, "not waited for"])
  end

  it "needs a block, and says so", :mistyped do
    expect { store.fetch("key") }.to raise_error(ArgumentError, /block/)
  end
end
