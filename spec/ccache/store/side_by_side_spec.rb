# frozen_string_literal: true

require_relative "../../support/fiber_scheduler"

# What callers do who waited for a load whose result they cannot have.
#
# To see red: in lib/ccache/coalescer.rb let `scattered?` be false and try again in `run`.
RSpec.describe Ccache::Store, "loads that cannot be shared" do
  subject!(:store) { described_class.new }

  let(:waiters) { 6 }

  # A load that ends as `ending` says, once `go` comes.
  def leader(go, **options, &ending)
    started = Thread::Queue.new
    thread = Thread.new do
      Thread.current.report_on_exception = false
      store.fetch("key", **options) { started << true and go.pop and ending.call }
    end
    started.pop
    thread
  end

  # Callers whose blocks end only when all of them are inside.
  def together(inside, **options)
    all_in = Thread::Queue.new
    threads = Array.new(waiters) do |number|
      Thread.new { store.fetch("key", **options) { inside << number and all_in.pop and number } }
    end
    until_coalesced(store, waiters)
    [threads, all_in]
  end

  def expect_side_by_side(first, go)
    inside = Thread::Queue.new
    threads, all_in = together(inside)
    expect(inside).to be_empty
    yield first, go
    eventually { inside.size == waiters }
    waiters.times { all_in << true }
    expect(join(threads)).to match_array(0...waiters)
    expect(Ccache::Testing.leases(store)).to eq(0)
  end

  it "run side by side after one that raised" do
    go = Thread::Queue.new
    expect_side_by_side(leader(go) { raise IOError, "mine" }, go) do |first|
      go << true
      expect { join(first) }.to raise_error(IOError, "mine")
    end
  end

  it "run side by side after one that was killed" do
    go = Thread::Queue.new
    expect_side_by_side(leader(go) { 1 }, go) { |first| first.kill }
  end

  it "run side by side after one whose key was deleted, or written and deleted" do
    [-> { store.delete("key") }, -> { store.set("key", 1) && store.delete("key") }, -> { store.clear }].each do |change|
      go = Thread::Queue.new
      expect_side_by_side(leader(go) { "old" }, go) do |first|
        change.call
        go << true
        expect(join(first)).to eq(["old"])
      end
      store.clear
    end
  end

  it "run side by side after one whose value cannot be kept" do
    go = Thread::Queue.new
    expect_side_by_side(leader(go, values: :fresh) { proc { 1 } }, go) do |first|
      go << true
      expect { join(first) }.to raise_error(Ccache::InvalidValue)
    end
  end

  it "keep newcomers from no block of their own while they run" do
    go, inside, all_in, newer = Array.new(4) { Thread::Queue.new }
    first = leader(go) { raise IOError }
    second = Thread.new { store.fetch("key") { inside << true and all_in.pop } }
    until_coalesced(store, 1)
    go << true
    inside.pop
    third = Thread.new { store.fetch("key") { newer << true and "third" } }
    expect(newer.pop).to be(true)
    expect(join(third)).to eq(["third"])
    all_in << "second"
    expect(join(second)).to eq(["second"])
    expect { join(first) }.to raise_error(IOError)
    expect(store["key"]).to eq("third")
  end

  it "are shared again once one has succeeded, or the last one has ended" do
    go, inside, all_in = Array.new(3) { Thread::Queue.new }
    first = leader(go) { raise IOError }
    second = Thread.new { store.fetch("key", skip_nil: true) { inside << true and all_in.pop and nil } }
    until_coalesced(store, 1)
    go << true
    inside.pop
    all_in << true
    expect(join(second)).to eq([nil])
    expect { join(first) }.to raise_error(IOError)
    again = Thread::Queue.new
    third = leader(again) { "third" }
    fourth = Thread.new { store.fetch("key") { raise "not coalesced" } }
    until_coalesced(store, 1)
    again << true
    expect(join(third, fourth)).to eq(%w[third third])
  end

  it "store a value though others always begin before one ends" do
    go, inside = Array.new(2) { Thread::Queue.new }
    first = leader(go) { raise IOError }
    gates = Array.new(2) { Thread::Queue.new }
    others = gates.map { |gate| Thread.new { store.fetch("key") { inside << true and gate.pop } } }
    until_coalesced(store, 2)
    go << true
    2.times { inside.pop }
    gates.first << "value"
    join(others.first)
    expect(store["key"]).to eq("value")
    gates.last << "late"
    join(others.last)
    expect(store["key"]).to eq("value")
    expect { join(first) }.to raise_error(IOError)
  end

  it "share a nil that is not to be stored" do
    go = Thread::Queue.new
    first = leader(go, skip_nil: true) { nil }
    others = Array.new(waiters) { Thread.new { store.fetch("key", skip_nil: true) { raise "loaded twice" } } }
    until_coalesced(store, waiters)
    go << true
    expect(join(first, others)).to eq([nil] * (waiters + 1))
    expect(store.key?("key")).to be(false)
  end

  it "run side by side in the fibers of a scheduler" do
    log = []
    FiberScheduler.thread do
      Fiber.schedule do
        store.fetch("key") { sleep(0.05) and raise IOError }
      rescue IOError
        log << :failed
      end
      3.times do |number|
        Fiber.schedule { store.fetch("key") { log << :begun and sleep(0.05) and log << number } }
      end
    end.join(10)
    expect(log.first(4)).to eq(%i[failed begun begun begun])
  end

  it "leave nothing behind when those who wait and load are killed at any moment" do
    random = Random.new(7)
    Scale.of(150, small: 10).times do
      threads = Array.new(4) do
        Thread.new do
          Thread.current.report_on_exception = false
          store.fetch("key", skip_nil: true) { sleep(0.001) and raise IOError }
        end
      end
      sleep(random.rand * 0.003)
      threads.sample(2, random: random).each(&:kill)
      threads.each { |thread| thread.join(30) rescue IOError } # rubocop:disable Style/RescueModifier
    end
    flights = Ccache::Coalescer.current.instance_variable_get(:@flights)
    expect(flights.keys.select { |owner,| owner.equal?(store) }).to be_empty
    expect(Ccache::Testing.leases(store)).to eq(0)
  end
end
