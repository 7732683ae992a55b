# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's fetch" do
  include RailsStores

  for_stores do
    it "loads what is not there, and that once" do
      expect(cache.fetch("key") { |key| key * 2 }).to eq("keykey")
      expect(cache.fetch("key") { raise "not run" }).to eq("keykey")
      expect(cache.fetch("key")).to eq("keykey")
    end

    it "has nil for a value, unless told to skip it" do
      expect(cache.fetch("nil") { nil }).to be_nil
      expect(cache.fetch("nil") { raise "not run" }).to be_nil
      expect(cache.fetch("skipped", skip_nil: true) { nil }).to be_nil
      expect(cache.exist?("skipped")).to be(false)
      expect(cache.fetch("skipped", skip_nil: true) { 1 }).to eq(1)
      skipping = rails_store(skip_nil: true)
      expect([skipping.fetch("by default") { nil }, skipping.exist?("by default")]).to eq([nil, false])
    end

    it "loads anyway if forced, and needs a block for that" do
      cache.write("key", "old")
      expect(cache.fetch("key", force: true) { "new" }).to eq("new")
      expect(cache.read("key")).to eq("new")
      expect(cache.fetch("key", force: true, skip_nil: true) { nil }).to be_nil
      expect(cache.read("key")).to eq("new")
      expect { cache.fetch("key", force: true) }.to raise_error(ArgumentError, /requires a block/)
    end

    it "takes any kind of block" do
      double = ->(key) { key * 2 }
      expect(cache.fetch("lambda", &double)).to eq("lambdalambda")
      expect(cache.fetch("symbol", &:upcase)).to eq("SYMBOL")
      expect(cache.fetch("method", &method(:String))).to eq("method")
    end

    it "lets the block say how to write" do
      found = cache.fetch("key", expires_in: 60) do |_key, options|
        expect([options.expires_in, options.expires_at, options.version]).to eq([60, nil, nil])
        options.version = 5
        options.expires_at = Time.now + 600
        expect([options.expires_in, options.version]).to eq([nil, 5])
        "value"
      end
      expect(found).to eq("value")
      expect(cache.read("key", version: "5")).to eq("value")
      expect(cache.read("key", version: 6)).to be_nil
      expect(cache.ccache.entry("key").expires_at).to be > Time.now + 500
      expect(cache.options[:version]).to be_nil
    end

    it "raises what the block raises, and keeps nothing" do
      expect { cache.fetch("key") { raise IOError, "the loader's" } }.to raise_error(IOError, "the loader's")
      expect(cache.exist?("key")).to be(false)
      expect(catch(:out) { cache.fetch("key") { throw :out, "thrown" } }).to eq("thrown")
      expect(cache.fetch("key") { 1 }).to eq(1)
    end

    it "runs one block for all who miss at the same time" do
      inside = Queue.new
      go = Queue.new
      runs = 0
      load = lambda do
        cache.fetch("key", expires_in: 60) do
          runs += 1
          inside << true
          go.pop
          "value"
        end
      end
      first = Thread.new(&load)
      inside.pop
      others = Array.new(4) { Thread.new(&load) }
      eventually { cache.stats[:misses] == 5 } # all have looked, and have nothing to do but wait
      others.each { |thread| until_asleep(thread) }
      go << true
      expect(join(first, *others)).to all(eq("value"))
      expect(runs).to eq(1)
    end

    it "stores nothing that is older than a write, or a removal, that came meanwhile" do
      expect(cache.fetch("key") { cache.write("key", "new") && "old" }).to eq("old")
      expect(cache.read("key")).to eq("new")
      expect(cache.fetch("other") { cache.delete("other") || "old" }).to eq("old")
      expect(cache.exist?("other")).to be(false)
    end

    it "loads many, and keeps their order" do
      cache.write("b", "kept")
      expect(cache.fetch_multi("a", "b", "c") { |key| key * 2 }).to eq("a" => "aa", "b" => "kept", "c" => "cc")
      expect(cache.fetch_multi("a", "b", "c") { raise "not run" }.keys).to eq(%w[a b c])
      expect(cache.fetch_multi { raise "not run" }).to eq({})
      expect { cache.fetch_multi("a") }.to raise_error(ArgumentError, /requires a block/)
    end
  end

  for_stores(RailsStores::REMOTE) do
    let(:other) { rails_store }

    it "keeps what another process wrote while it loaded" do
      expect(cache.fetch("key") { other.write("key", "new") && "old" }).to eq("old")
      expect([cache.read("key"), other.read("key")]).to eq(%w[new new])
    end

    it "loads once for all processes, with a lock" do
      expect(cache.fetch("key", lock: 10) { other.delete("key") || "old" }).to eq("old")
      expect(other.exist?("key")).to be(false)
      expect(cache.fetch("key", lock: 10) { "new" }).to eq("new")
      expect(other.fetch("key", lock: 10) { raise "not run" }).to eq("new")
    end

    it "replaces what Rails' own store left under the key" do
      put_raw("key", "\x04\bo: ActiveSupport::Cache::Entry")
      expect(cache.read("key")).to be_nil
      expect(cache.fetch("key") { "value" }).to eq("value")
      expect(other.read("key")).to eq("value")
    end

    it "asks the server once where nothing is there" do
      names = %w[pttl getrange set]
      expect(commands(*names) { cache.fetch("key") { 1 } }).to eq("pttl" => 1, "getrange" => 1, "set" => 1)
      expect(commands(*names) { cache.fetch("key") { 2 } }).to eq("pttl" => 0, "getrange" => 1, "set" => 0)
    end
  end
end
