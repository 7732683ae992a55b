# frozen_string_literal: true

require_relative "support/fiber_scheduler"

# What only newer Rubies than the oldest supported one have: an example is defined where
# its subject is.
RSpec.describe Ccache::Store, "with a newer Ruby" do
  let(:store) { described_class.new }

  def fill(count)
    count.times { |number| store["key#{number}"] = ["value", number] }
  end

  def expect_all(count)
    wrong = count.times.reject { |number| store["key#{number}"] == ["value", number] }
    expect(wrong).to eq([])
    expect(store.pin_list.size).to eq(count)
  end

  if Process.respond_to?(:warmup) # 3.3
    it "keeps what it holds through Process.warmup, which compacts and makes everything old" do
      count = Scale.of(2000, small: 100)
      fill(count)
      first = store["key0"]
      Process.warmup
      GC.start(full_mark: false)
      expect_all(count)
      expect(store["key0"]).to equal(first)
    end
  end

  if GC.respond_to?(:config) # 3.4
    it "keeps what it holds while GC.config allows no full collection" do
      count = Scale.of(2000, small: 100)
      GC.config(rgengc_allow_full_mark: false)
      fill(count)
      20.times { GC.start(full_mark: false) }
      expect_all(count)
    ensure
      GC.config(rgengc_allow_full_mark: true)
    end
  end

  if RUBY_VERSION >= "3.4" # which has RB_NOGVL_OFFLOAD_SAFE
    # To see red: in ext/ccache/src/gvl.rs pass 4 beside RB_NOGVL_INTR_FAIL.
    it "gives no wait to the threads of a fiber scheduler, which may outlive what they work on" do
      scheduler = FiberScheduler.new
      given = []
      scheduler.define_singleton_method(:blocking_operation_wait) { |work| (given << :work) && Thread.new(&work).join }
      store = remote
      store.set("key", "value")
      join(FiberScheduler.thread(scheduler) { Fiber.schedule { given << store.get("key") } })
      expect(given).to eq(["value"])
    end
  end

  if defined?(Data.define) # 3.2
    it "takes a Data of plain data for plain data, and gives the same one to all" do
      point = self.class.const_set(:Point, Data.define(:x, :y))
      store.set("plain", point.new(x: [1], y: "two"), values: :auto)
      expect(store["plain"]).to equal(store["plain"]).and eq(point.new(x: [1], y: "two"))
      expect(store["plain"].x).to be_frozen
      store.set("other", point.new(x: Object.new, y: 1), values: :auto)
      expect(store["other"]).not_to equal(store["other"])
    end
  end
end
