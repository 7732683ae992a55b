# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's expiry" do
  include RailsStores

  for_stores do
    it "ends an entry's life after so many seconds" do
      cache.write("lasting", 1)
      cache.write("short", 1, expires_in: 0.05)
      cache.write_multi({ "many" => 1 }, expires_in: 0.05)
      cache.fetch("loaded", expires_in: 0.05) { 1 }
      eventually { cache.read_multi("short", "many", "loaded", "lasting") == { "lasting" => 1 } }
      expect(%w[short many loaded lasting].map { |key| cache.exist?(key) }).to eq([false, false, false, true])
      expect(cache.fetch("short") { 2 }).to eq(2)
    end

    it "is the store's, unless a write says otherwise" do
      cache = rails_store(expires_in: 0.05)
      cache.write("default", 1)
      cache.write("other", 1, expires_in: 600)
      cache.write("never", 1, expires_in: nil)
      eventually { cache.read("default").nil? }
      expect(cache.read_multi("default", "other", "never")).to eq("other" => 1, "never" => 1)
    end

    it "may be a moment, and has other names" do
      cache.write("at", 1, expires_at: Time.now + 600)
      cache.write("in", 1, expire_in: 600)
      cache.write("ed", 1, expired_in: 10.minutes)
      times = %w[at in ed].map { |key| cache.ccache.entry(key).expires_at - Time.now }
      expect(times).to all(be_between(1, 600))
    end

    it "is over at once for a moment that has passed" do
      cache.write("key", 1, expires_in: 0)
      eventually { !cache.exist?("key") }
      expect(cache.fetch("key") { 2 }).to eq(2)
    end

    it "refuses what is no time, or two of them" do
      expect { cache.write("key", 1, expires_in: Time.now + 60) }.to raise_error(ArgumentError, /should not be a Time/)
      expect { cache.write("key", 1, expires_in: 60, expires_at: Time.now + 60) }
        .to raise_error(ArgumentError, /but not both/)
      expect(cache.exist?("key")).to be(false)
    end

    it "lets others have what expired a moment ago, while one makes the next" do
      cache.write("key", "old", expires_in: 60, race_condition_ttl: 10)
      travel(61)
      found = cache.fetch("key", expires_in: 60, race_condition_ttl: 10) do
        expect(cache.read("key")).to eq("old")
        expect(cache.fetch("key", race_condition_ttl: 10) { raise "not run" }).to eq("old")
        "new"
      end
      expect([found, cache.read("key")]).to eq(%w[new new])
    end

    it "does so for no longer than that, and also if the one fails" do
      cache.write("key", "old", expires_in: 60, race_condition_ttl: 10)
      travel(61)
      expect { cache.fetch("key", race_condition_ttl: 10) { raise IOError } }.to raise_error(IOError)
      expect(cache.read("key")).to eq("old")
      travel(22)
      expect(cache.read("key")).to be_nil
      expect(cache.fetch("key", race_condition_ttl: 10) { cache.read("key") || "new" }).to eq("new")
    end

    it "keeps a new value that came while one made the next" do
      cache.write("key", "old", expires_in: 60, race_condition_ttl: 10)
      travel(61)
      expect(cache.fetch("key", race_condition_ttl: 10) { cache.write("key", "newer") && "new" }).to eq("new")
      expect(cache.read("key")).to eq("newer")
    end
  end

  for_stores(RailsStores::LOCAL + ["with a server, values: :fresh"]) do
    it "goes by Time.now, which tests may move" do
      cache.write("key", "value", expires_in: 60)
      cache.write("number", 1, expires_in: 60)
      cache.fetch("loaded", expires_in: 60) { "value" }
      travel(30)
      expect(cache.read_multi("key", "number", "loaded").size).to eq(3)
      travel(31)
      expect(%w[key number loaded].map { |key| cache.read(key) }).to eq([nil, nil, nil])
      expect(cache.exist?("key")).to be(false)
      expect(cache.read_multi("key", "number", "loaded")).to eq({})
      expect(cache.write("key", "second", unless_exist: true)).to be(true)
      expect(cache.fetch("loaded") { "again" }).to eq("again")
      expect(cache.fetch("loaded") { raise "not run" }).to eq("again")
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "is the server's, too, so that nothing is left there" do
      cache.write("key", "value", expires_in: 60)
      cache.write("raced", "value", expires_in: 60, race_condition_ttl: 5)
      times = %w[key raced].map { |key| Servers.shared.command("PTTL", "#{namespace}:#{key}") }
      expect(times).to match([be_between(1, 60_000), be_between(60_001, 360_000)])
    end
  end
end
