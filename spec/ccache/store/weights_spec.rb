# frozen_string_literal: true

RSpec.describe Ccache::Store, "max_bytes:" do
  it "is never exceeded, and evicts as many as have to go" do
    store = described_class.new(max_bytes: 100, weigher: ->(_key, value) { value.size })
    weights = Array.new(200) do |number|
      store["key#{number}"] = "x" * (number % 30)
      store.stats[:weight]
    end
    expect(weights).to all(be <= 100)
    expect(weights.max).to be > 70
    expect(store.stats).to include(entries: store.keys.size, pins: store.size)
  end

  it "counts an overwrite with its new weight alone" do
    store = described_class.new(max_bytes: 100, weigher: ->(_key, value) { value })
    store["a"] = 60
    store["a"] = 90
    expect(store.stats).to include(entries: 1, weight: 90, evictions: 0)
    store.delete("a")
    expect(store.stats).to include(weight: 0)
  end

  it "keeps no value that alone is heavier, nor the older one of its key, and says so" do
    events = []
    store = described_class.new(max_bytes: 100, weigher: ->(_key, value) { value },
                                on_event: ->(name, facts) { events << [name, facts] })
    store["a"] = 60
    expect(store.set("a", 101)).to match(/\A\h{32}\z/)
    expect(store["a"]).to be_nil
    expect(store.stats).to include(entries: 0, weight: 0, refusals: 1, evictions: 0, replacements: 1)
    expect(events).to eq([[:refused, { key: "a", weight: 101, max_bytes: 100 }]])
  end

  it "does not take a refused value for a condition that failed" do
    store = described_class.new(max_bytes: 10, weigher: ->(_key, value) { value })
    expect(store.fetch("a") { 11 }).to eq(11)
    expect(store.increment("b", 12)).to eq(12)
    store["c"] = 1
    expect { store.set("c", 13, if_match: store.etag("c")) }.not_to raise_error
    expect { store.set("c", 14, if_match: "another") }.to raise_error(Ccache::PreconditionFailed)
    expect(store.stats).to include(entries: 0, refusals: 3)
  end

  it "asks nobody else by default than the size of what is encoded, or Ruby" do
    value = { "text" => "x" * 100 }
    encoded = described_class.new(max_bytes: 1_000_000, values: :fresh)
    encoded["key"] = value
    expect(encoded.stats[:weight]).to eq(Marshal.dump(value).bytesize)
    live = described_class.new(max_bytes: 1_000_000)
    live["key"] = value
    expect(live.stats[:weight]).to eq(3 + ObjectSpace.memsize_of(value))
  end

  it "holds with max_entries:, whichever is reached first" do
    store = described_class.new(max_entries: 3, max_bytes: 100, weigher: ->(_key, value) { value })
    5.times { |number| store["light#{number}"] = 1 }
    expect(store.stats).to include(entries: 3, weight: 3)
    store["heavy"] = 99
    expect(store.stats[:weight]).to be <= 100
  end

  it "leaves everything as it was if the weigher fails" do
    weigher = ->(_key, value) { value.is_a?(Integer) ? value : raise(ArgumentError, "no weight") }
    store = described_class.new(max_bytes: 100, weigher: weigher)
    store["a"] = 1
    expect { store["a"] = "b" }.to raise_error(ArgumentError, "no weight")
    expect { store.set_multi({ "a" => 2, "b" => "c" }) }.to raise_error(ArgumentError)
    expect { store["a"] = -1 }.to raise_error(Ccache::InvalidOption, /weigher: takes a block that returns.* got -1/)
    expect(store["a"]).to eq(1)
  end

  it "is for one Ractor" do
    expect { described_class.new(max_bytes: 100).freeze }.to raise_error(Ccache::NotShareable, /max_bytes/)
  end
end
