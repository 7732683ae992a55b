# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's keys" do
  include RailsStores

  record = Struct.new(:cache_key, :title)
  param = Struct.new(:to_param)

  for_stores do
    it "are what Rails makes of an object" do
      cache.write(record.new("records/1"), "record")
      cache.write(param.new("param"), "param")
      cache.write([:list, "of", record.new("records/1")], "list")
      cache.write({ b: 2, a: 1 }, "hash")
      cache.write(:symbol, "symbol")
      cache.write(5, "number")
      expect(cache.read_multi("records/1", "param", "list/of/records/1", "a=1/b=2", "symbol", "5").values)
        .to eq(%w[record param list hash symbol number])
    end

    it "name the values of read_multi and fetch_multi as the caller did" do
      records = [record.new("records/1", "one"), record.new("records/2", "two")]
      cache.write("records/2", "kept")
      expect(cache.fetch_multi(*records, &:title)).to eq(records[0] => "one", records[1] => "kept")
      expect(cache.read_multi(*records)).to eq(records[0] => "one", records[1] => "kept")
    end

    it "are told apart by case, odd characters and bytes" do
      odd = "#/:*(<+=> )&$%@?;'\"`~-\n"
      keys = ["key", "KEY", odd, "ümlaut", "\0key", "\1key", "\1#{namespace}:key", "#{namespace}:key"]
      keys.each { |key| cache.write(key, key) }
      expect(keys.map { |key| cache.read(key) }).to eq(keys)
      expect(cache.ccache.keys.size).to eq(keys.size)
      keys.each { |key| expect(cache.delete(key)).to be(true) }
    end

    it "may have any encoding, and keep it" do
      Encoding.list.each do |encoding|
        key = "key of #{encoding}".dup.force_encoding(encoding)
        cache.write(key, encoding.name)
        expect(cache.read(key)).to eq(encoding.name)
        expect(cache.fetch(key) { raise "not run" }).to eq(encoding.name)
        expect(key.encoding).to eq(encoding)
      end
    end

    it "may be long" do
      key = "x" * 5000
      cache.write(key, "long")
      expect([cache.read(key), cache.fetch(key), cache.read_multi(key)]).to eq(["long", "long", { key => "long" }])
      expect(cache.read("#{key}x")).to be_nil
      expect(cache.ccache.keys.map(&:bytesize)).to eq([1024])
      expect(cache.delete(key)).to be(true)
    end

    it "stand in the store's namespace, or in that of the call" do
      cache.write("key", "own")
      expect(cache.read("key", namespace: "other")).to be_nil
      cache.write("key", "other's", namespace: "other")
      expect(cache.read("key")).to eq("own")
      expect(cache.read("key", namespace: "other")).to eq("other's")
      expect(cache.read("#{namespace}:key", namespace: nil)).to eq("own")
      expect(cache.fetch("key", namespace: -> { "other" }) { raise "not run" }).to eq("other's")
      expect(cache.delete("key", namespace: "other")).to be(true)
      expect(cache.read("key")).to eq("own")
    end

    it "follow a namespace that is asked for each time, or changed later" do
      tenant = "one"
      asking = rails_store(namespace: -> { "#{namespace}-#{tenant}" })
      asking.write("key", 1)
      tenant = "two"
      expect(asking.read("key")).to be_nil
      tenant = "one"
      expect([asking.read("key"), asking.fetch("key") { 2 }]).to eq([1, 1])

      cache.write("key", "first")
      cache.options[:namespace] = "changed"
      expect(cache.read("key")).to be_nil
      expect(cache.fetch("key") { "second" }).to eq("second")
      cache.options[:namespace] = namespace
      expect(cache.read("key")).to eq("first")
    end
  end

  it "need no namespace" do
    cache = ActiveSupport::Cache.lookup_store(:ccache_store)
    cache.write("key", 1)
    cache.write("key", 2, namespace: "other")
    expect([cache.read("key"), cache.read("other:key"), cache.ccache.keys.sort]).to eq([1, 2, %w[key other:key]])
  end
end
