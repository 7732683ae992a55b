# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's reads and writes" do
  include RailsStores

  for_stores do
    it "reads what was written, whatever it is" do
      { "string" => "text", "hash" => { a: "b" }, "integer" => 1, "float" => 1.5, "false" => false, "nil" => nil,
        "time" => Time.at(0), "list" => [:a, "b", nil] }.each do |key, value|
        expect(cache.write(key, value)).to be(true)
        expect(cache.read(key)).to eq(value)
        expect(cache.exist?(key)).to be(true)
      end
    end

    it "overwrites" do
      cache.write("key", "old")
      cache.write("key", "new")
      expect(cache.read("key")).to eq("new")
    end

    it "says of what is not there nil and false" do
      expect(cache.read("key")).to be_nil
      expect(cache.exist?("key")).to be(false)
      expect(cache.delete("key")).to be(false)
      expect(cache.fetch("key")).to be_nil
    end

    it "deletes" do
      cache.write("key", 1)
      expect(cache.delete("key")).to be(true)
      expect(cache.exist?("key")).to be(false)
      expect(cache.read("key")).to be_nil
    end

    it "writes only where there is nothing, if asked to" do
      expect(cache.write("key", nil, unless_exist: true)).to be(true)
      expect(cache.write("key", 2, unless_exist: true)).to be(false)
      expect(cache.read("key")).to be_nil
    end

    it "reads and writes many at once" do
      cache.write_multi({ "a" => 1, "b" => nil })
      cache.write("c", "3")
      expect(cache.read_multi("a", "b", "c", "d")).to eq("a" => 1, "b" => nil, "c" => "3")
      expect(cache.read_multi).to eq({})
      cache.write_multi({})
      expect(cache.delete_multi(%w[a b d])).to eq(2)
      expect(cache.read_multi("a", "b", "c")).to eq("c" => "3")
      expect(cache.delete_multi([])).to eq(0)
    end

    it "takes raw and compress, and gives back what it was given" do
      cache.write("raw", "1", raw: true)
      expect(cache.read("raw", raw: true)).to eq("1")
      expect(cache.fetch("raw", raw: true)).to eq("1")
      text = "0" * 4096
      [true, false].each do |compress|
        cache.write("long", text, compress: compress, compress_threshold: 100)
        expect(cache.read("long", compress: compress)).to eq(text)
      end
    end

    it "does not change the options it is given" do
      options = { expires_in: 60, expire_in: 60, values: :fresh }.freeze
      cache.write("key", "value", options)
      expect(cache.read("key", options)).to eq("value")
      expect(cache.fetch("other", options) { 1 }).to eq(1)
    end

    it "tells the etag of an entry, another one when the value is another" do
      expect(cache.etag("key")).to be_nil
      cache.write("key", "value")
      before = cache.etag("key")
      expect(before).to match(/\A\h+\z/)
      cache.write("key", "other")
      expect(cache.etag("key")).not_to eq(before)
    end

    it "has stats, and runs the block of with_local_cache" do
      cache.write("key", 1)
      expect(cache.with_local_cache { cache.read("key") }).to eq(1)
      expect(cache.stats).to include(hits: 1)
    end
  end

  for_stores(RailsStores::REMOTE) do
    let(:other) { rails_store }

    it "reads what another process wrote, and nothing that is older" do
      20.times do |number|
        other.write("key", number)
        expect(cache.read("key")).to eq(number)
      end
    end

    it "takes one request for any number of keys" do
      keys = Array.new(50) { |number| "key#{number}" }
      names = %w[set pttl getrange]
      expect(commands(*names) { cache.write_multi(keys.to_h { |key| [key, key] }, expires_in: 60) })
        .to eq("set" => 50, "pttl" => 0, "getrange" => 0)
      expect(commands(*names) { cache.read_multi(*keys) }).to eq("set" => 0, "pttl" => 0, "getrange" => 50)
      expect(cache.stats).to include(connections: be <= 2)
    end

    it "says how fresh an answer has to be, per call" do
      other.write("key", "old")
      expect(cache.read("key")).to eq("old")
      other.write("key", "new")
      expect(cache.read("key", max_age: 600)).to eq("old")
      expect(cache.read("key")).to eq("new")
    end

    it "stands under the plain key of its namespace, for other programs of this gem" do
      cache.write("key", "value")
      expect(remote.get("key")).to eq("value")
    end
  end

  for_stores(["with a server"]) do
    it "keeps the tag if the same value is written again" do
      cache.write("key", "value", expires_in: 60)
      before = cache.etag("key")
      cache.write("key", "value", expires_in: 600)
      expect(cache.etag("key")).to eq(before)
    end
  end
end
