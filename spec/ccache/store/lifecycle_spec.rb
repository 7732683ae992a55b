# frozen_string_literal: true

RSpec.describe Ccache::Store, "from new to close" do
  subject(:store) { described_class.new(max_entries: 3, expires_in: 60) }

  it "counts what happens" do
    store["a"] = Object.new
    store["b"] = "b"
    store["b"] = "c"
    store["a"]
    store["none"]
    store.fetch("d") { 1 }
    store["e"] = Object.new
    store.delete("e")
    expect(store.stats).to include(hits: 1, misses: 2, sets: 5, deletes: 1, loads: 1, coalesced: 0,
                                   evictions: 1, expirations: 0, entries: 2, segments: 1)
    expect(store.stats[:pins]).to be_between(1, 2)
    expect(store.stats.keys).to eq(%i[hits misses sets deletes expirations evictions replacements cleared refusals
                                      loads coalesced entries weight pins segments bytes])
  end

  it "knows the bytes that Rust holds" do
    store["first"] = 1 # for which the policy and the timer wheel take memory
    store.delete("first")
    empty = store.stats[:bytes]
    store["k" * 10_000] = 1
    expect(store.stats[:bytes]).to be_between(empty + 10_000, empty + 11_000)
    store.set("fresh", "x" * 100_000, values: :fresh)
    expect(store.stats[:bytes]).to be_between(empty + 110_000, empty + 112_000)
    expect(ObjectSpace.memsize_of(store)).to be > 110_000
    store.clear
    expect(store.stats[:bytes]).to be_within(1000).of(empty)
  end

  it "shows entries and bounds, never a value" do
    store["key"] = "secret"
    expect(store.inspect).to eq("#<Ccache::Store entries=1 max_entries=3 expires_in=60.0 values=shared>")
    expect(store.pin_list.inspect).to eq("#<Ccache::PinList size=1 segments=1>")
    store.close
    expect(store.inspect).to eq("#<Ccache::Store closed>")
  end

  it "refuses everything once closed, and unpins all" do
    klass = Class.new
    elsewhere { store["key"] = Array.new(Garbage::MANY) { klass.new } and nil }
    expect(store.closed?).to be(false)
    expect(store.close).to be_nil
    expect(store.close).to be_nil
    expect(store.closed?).to be(true)
    calls = [
      -> { store.get("a") }, -> { store["a"] }, -> { store.set("a", 1) }, -> { store["a"] = 1 },
      -> { store.fetch("a") { 1 } }, -> { store.entry("a") }, -> { store.etag("a") }, -> { store.key?("a") },
      -> { store.delete("a") }, -> { store.clear }, -> { store.size }, -> { store.keys }, -> { store.each { nil } },
      -> { store.get_multi("a") }, -> { store.set_multi({ "a" => 1 }) }, -> { store.fetch_multi("a") { 1 } },
      -> { store.delete_multi("a") }, -> { store.update("a") { 1 } }, -> { store.stats }, -> { store.pin_list.size }
    ]
    calls.each { |call| expect(&call).to raise_error(Ccache::ClosedError, "the store is closed") }
    expect(collected?(klass)).to be(true)
  end

  it "may be closed inside a loader, whose fetch then raises" do
    expect { store.fetch("key") { store.close || "loaded" } }.to raise_error(Ccache::ClosedError)
    expect(store).to be_closed
  end

  it "lets subclasses have their own initialize" do
    subclass = Class.new(described_class) { def initialize = super(max_entries: 1) }
    store = subclass.new
    store["a"] = store["b"] = 1
    expect(store.size).to eq(1)
  end
end
