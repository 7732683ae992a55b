# frozen_string_literal: true

RSpec.describe Ccache::Store, "idle_for:" do
  it "takes out what nobody reads, and leaves what is read" do
    store = described_class.new(idle_for: 4) # long enough for one read
    store["read"] = Object.new
    store["left alone"] = Object.new
    eventually do
      store["read"]
      store.size == 1
    end
    expect(store.keys).to eq(["read"])
    expect(store.stats).to include(pins: 1, expirations: 1)
    eventually { store.stats[:pins].zero? }
  end

  it "is no use of an entry to ask whether it is there" do
    store = described_class.new(idle_for: 0.3)
    store["a"] = 1
    eventually do
      store.key?("a")
      store.etag("a")
      store.keys
      store.size.zero?
    end
  end

  it "tells on_evict: that the time was over" do
    told = Thread::Queue.new
    store = described_class.new(idle_for: 0.1, on_evict: ->(*departed) { told << departed })
    store["a"] = 1
    expect(told.pop).to eq(["a", 1, :expired])
  end

  it "refuses what is no time" do
    [-1, "5", Float::NAN].each do |bad|
      expect { described_class.new(idle_for: bad) }.to raise_error(Ccache::InvalidOption, /idle_for: takes/)
    end
  end
end
