# frozen_string_literal: true

RSpec.describe Ccache::Store, "max_entries:" do
  it "is never exceeded, and the pins go with the entries" do
    store = described_class.new(max_entries: 10)
    count = Scale.of(1000, small: 200)
    sizes = Array.new(count) { |number| store.set("key#{number}", Object.new) && store.size }
    expect(sizes.max).to eq(10)
    expect(store.stats).to include(entries: 10, pins: 10, evictions: count - 10)
  end

  it "keeps what is read rather than what is not" do
    store = described_class.new(max_entries: 10)
    store["read"] = 1
    100.times do |number|
      store["key#{number}"] = 1
      store["read"]
    end
    expect(store["read"]).to eq(1)
  end

  it "evicts nothing for an overwrite" do
    store = described_class.new(max_entries: 2)
    store["a"] = store["b"] = 1
    100.times { |number| store["a"] = number }
    expect(store.keys).to contain_exactly("a", "b")
  end

  it "holds under threads" do
    store = described_class.new(max_entries: 100)
    each = Scale.of(500, small: 50)
    threads = Array.new(8) do |thread|
      Thread.new { each.times { |number| store["#{thread}-#{number}"] = Object.new } }
    end
    join(threads)
    expect(store.stats).to include(entries: 100, pins: 100, evictions: (8 * each) - 100)
  end
end
