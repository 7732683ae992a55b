# frozen_string_literal: true

require "active_support"
require "active_support/duration"
require "active_support/core_ext/numeric/time"
require "bigdecimal"

RSpec.describe Ccache::Store, "expiry" do
  subject(:store) { described_class.new }

  it "ends an entry's life after so many seconds" do
    store.set("key", 1, expires_in: 0.05)
    store.set("lasting", 1, expires_in: 3600)
    eventually { store["key"].nil? }
    expect(store.key?("key")).to be(false)
    expect(store.etag("key")).to be_nil
    expect(store.set("key", 2, if_match: nil)).to be_a(String)
    expect(store["lasting"]).to eq(1)
  end

  it "unpins an expired entry without anybody reading it" do
    10.times { |number| store.set("key#{number}", Object.new, expires_in: 4) } # long enough to count them
    expect(store.pin_list.size).to eq(10)
    eventually { store.pin_list.size.zero? }
    expect(store.stats).to include(entries: 0, expirations: 10, hits: 0, misses: 0)
  end

  it "frees the expired object itself" do
    klass = Class.new
    elsewhere { Garbage::MANY.times { |number| store.set("key#{number}", klass.new, expires_in: 0.05) } }
    eventually { store.size.zero? }
    expect(collected?(klass)).to be(true)
  end

  it "gives every write the store's lifetime unless it says otherwise" do
    store = described_class.new(expires_in: 60)
    store.set("default", 1)
    store["assigned"] = 1
    store.fetch("fetched") { 1 }
    store.set("never", 1, expires_in: nil)
    store.set("sooner", 1, expires_in: 5)
    times = %w[default assigned fetched never sooner].map { |key| store.entry(key).expires_at }
    expect(times[0..2]).to all(be_within(30).of(Time.now + 60))
    expect(times[3]).to be_nil
    expect(times[4]).to be < Time.now + 6
  end

  it "does not expire an entry by the lifetime of the one before" do
    store.set("key", 1, expires_in: 0.05)
    store.set("key", 2)
    store.set("other", 1, expires_in: 0.05)
    eventually { store.size == 1 }
    expect(store["key"]).to eq(2)
  end

  it "takes whole and broken numbers and ActiveSupport's durations" do
    [60, 60.0, 60r, BigDecimal("60"), 1.minute].each do |seconds|
      store.set("key", 1, expires_in: seconds)
      expect(store.entry("key").expires_at).to be_within(30).of(Time.now + 60)
    end
    store.set("key", 1, expires_in: 0)
    expect(store["key"]).to be_nil
  end

  it "takes nothing else, and changes nothing then", :mistyped do
    tag = store.set("key", "old")
    [Float::NAN, Float::INFINITY, 1i, 2**70, "60", :long, Object.new, true].each do |bad|
      calls = [
        -> { store.set("key", 1, expires_in: bad) }, -> { store.fetch("key", expires_in: bad) { 1 } },
        -> { store.update("key", expires_in: bad) { 1 } }, -> { store.set_multi({ "key" => 1 }, expires_in: bad) },
        -> { described_class.new(expires_in: bad) }
      ]
      calls.each { |call| expect(&call).to raise_error(Ccache::InvalidOption, /expires_in: takes a number of seconds/) }
    end
    expect(store.etag("key")).to eq(tag)
  end
end
