# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's versions" do
  include RailsStores

  record = Struct.new(:cache_key, :cache_version)
  let(:old) { record.new("records/1", 1) }
  let(:new) { record.new("records/1", 2) }

  it "are told to Rails, which recycles keys then" do
    expect(ActiveSupport::Cache.lookup_store(:ccache_store).class.supports_cache_versioning?).to be(true)
  end

  for_stores do
    it "are those of the call" do
      cache.write("key", "value", version: 1)
      expect(cache.read("key", version: "1")).to eq("value")
      expect(cache.read("key")).to eq("value")
      expect(cache.read("key", version: 2)).to be_nil
      expect([cache.exist?("key", version: 1), cache.exist?("key", version: 2)]).to eq([true, false])
      expect(cache.read_multi("key", version: 2)).to eq({})
      expect(cache.read_multi("key", version: 1)).to eq("key" => "value")
    end

    it "are those of a record, also within a list" do
      [->(key) { key }, ->(key) { ["list", key] }].each do |form|
        cache.write(form[old], "old")
        expect([cache.read(form[old]), cache.read(form[new])]).to eq(["old", nil])
        expect(cache.fetch(form[old]) { raise "not run" }).to eq("old")
        expect(cache.fetch(form[new]) { "new" }).to eq("new")
        expect([cache.read(form[old]), cache.read(form[new])]).to eq([nil, "new"])
      end
    end

    it "leave one entry per key" do
      cache.fetch(old) { 1 }
      cache.fetch(new) { 2 }
      expect(cache.ccache.keys).to eq(["records/1"])
      second = record.new("records/2", 1)
      expect(cache.fetch_multi(old, second, &:cache_version)).to eq(old => 1, second => 1)
    end

    it "do not hinder counting" do
      cache.write("count", 5, version: 1)
      expect(cache.increment("count", 2, version: 1)).to eq(7)
      expect(cache.read("count", version: 1)).to eq(7)
      expect(cache.increment("count", 2, version: 2)).to eq(2)
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "are known to coders that know plain Hashes alone" do
      cache = rails_store(coder: :json)
      cache.write(old, { "a" => 1 })
      expect(cache.read(old)).to eq("a" => 1)
      expect(rails_store(coder: :json).read(new)).to be_nil
      expect(cache.fetch(new) { { "b" => 2 } }).to eq("b" => 2)
      expect(cache.fetch(new) { raise "not run" }).to eq("b" => 2)
      cache.write("bare", { "c" => 3 })
      expect(cache.read("bare")).to eq("c" => 3)
    end
  end
end
