# frozen_string_literal: true

RSpec.describe Ccache::Store, "reading" do
  subject(:store) { described_class.new }

  it "returns the very object that was set" do
    object = Object.new
    store.set("key", object)
    expect(store.get("key")).to equal(object)
    expect(store["key"]).to equal(object)
  end

  it "returns nil where there is no entry" do
    expect(store.get("key")).to be_nil
    expect(store["key"]).to be_nil
  end

  it "returns every kind of immediate as itself" do
    symbol = "dynamic_symbol_#{rand}".to_sym
    values = [nil, true, false, 0, -1, 2**61, 2**62, 2**70, 1.5, 1e300, :symbol, symbol]
    values.each { |value| store["key"] = value and expect(store["key"]).to equal(value).or(eql(value)) }
  end

  it "tells a stored nil from no entry" do
    store["nil"] = nil
    expect([store.key?("nil"), store.key?("none")]).to eq([true, false])
    expect(store.entry("nil").value).to be_nil
    expect(store.entry("none")).to be_nil
  end

  it "answers NOT_MODIFIED while the reader's tag holds, and the value once it does not" do
    tag = store.set("key", "old")
    expect(store.get("key", if_none_match: tag)).to be(Ccache::NOT_MODIFIED)
    store.set("key", "new")
    expect(store.get("key", if_none_match: tag)).to eq("new")
    store.delete("key")
    expect(store.get("key", if_none_match: tag)).to be_nil
    expect(store.get("key", if_none_match: nil)).to be_nil
    expect(Ccache::NOT_MODIFIED.inspect).to eq("Ccache::NOT_MODIFIED")
  end

  it "compares a tag of any encoding by its bytes" do
    store.set("key", 1, etag: "caf\u00e9")
    expect(store.get("key", if_none_match: "caf\u00e9".b)).to be(Ccache::NOT_MODIFIED)
  end

  it "gives a private mutable copy when asked for a fresh one" do
    store["key"] = { list: ["a"] }.freeze
    copy = store.get("key", values: :fresh)
    copy[:list] << "b"
    expect(copy).to eq(list: %w[a b])
    expect(store["key"]).to eq(list: ["a"])
    expect(store.get("none", values: :fresh)).to be_nil
  end

  it "combines a fresh copy with a condition" do
    tag = store.set("key", ["a"])
    expect(store.get("key", values: :fresh, if_none_match: tag)).to be(Ccache::NOT_MODIFIED)
    expect(store.get("key", values: :fresh, if_none_match: "other")).to eq(["a"])
  end

  it "shows an entry with value, tag, age and expiry" do
    tag = store.set("key", "value", expires_in: 60)
    entry = store.entry("key")
    expect(entry).to have_attributes(value: "value", etag: tag, age: be_between(0, 30))
    expect(entry.expires_at).to be_within(30).of(Time.now + 60)
    expect(entry).to be_frozen
    expect(entry.inspect).to include(tag).and(satisfy { |text| !text.include?("value") })
  end

  it "says of an entry without a lifetime that it never expires" do
    store["key"] = 1
    expect(store.entry("key").expires_at).to be_nil
  end

  it "tells the tag of an entry without reading it" do
    tag = store.set("key", 1)
    expect(store.etag("key")).to eq(tag).and be_frozen
    expect(store.etag("none")).to be_nil
    expect(store.stats).to include(hits: 0, misses: 0)
  end

  it "allocates no object for a hit", :mistyped do
    store["key"] = "value"
    key = "key"
    { get: -> { store.get(key) }, aref: -> { store[key] }, fetch: -> { store.fetch(key) { nil } } }.each do |name, hit|
      expect(allocations(&hit)).to eq(allocations { nil }), name.to_s
    end
  end

  # Objects that 100 calls allocate, measured after the first calls have warmed up.
  def allocations(&block)
    Array.new(5) do
      before = GC.stat(:total_allocated_objects)
      100.times { block.call }
      GC.stat(:total_allocated_objects) - before
    end.min
  end
end
