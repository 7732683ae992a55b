# frozen_string_literal: true

require_relative "rails_stores"

# What the Rails store does not write, and what its callers have of it.
#
# To see red: in lib/ccache/rails_store/writing.rb do not rescue ValueTooLarge.
RSpec.describe "The Rails store's values that are not written" do
  include RailsStores

  for_stores do
    it "are gone at once if they have no time to live, as is what was there" do
      [0, -1, -0.5].each do |seconds|
        cache.write("key", "old")
        expect(cache.write("key", "new", expires_in: seconds)).to be(true), seconds.to_s
        expect([cache.read("key"), cache.exist?("key")]).to eq([nil, false])
        cache.write_multi({ "key" => 1 }, expires_in: seconds)
        2.times { |number| expect(cache.fetch("key", expires_in: seconds) { number }).to eq(number) }
        expect(cache.fetch("key", expires_in: seconds, race_condition_ttl: 10) { 2 }).to eq(2)
        expect(cache.fetch_multi("key", expires_in: seconds) { 3 }).to eq("key" => 3)
        expect([cache.read("key"), cache.ccache.size]).to eq([nil, 0])
        2.times { expect(cache.increment("count", 1, expires_in: seconds)).to eq(1) }
      end
    end

    it "have no time to live if they expire in the past" do
      cache.write("key", "old")
      cache.write("key", "new", expires_at: Time.now - 5)
      expect(cache.fetch("key", expires_at: Time.now - 5) { "loaded" }).to eq("loaded")
      expect(cache.read("key")).to be_nil
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "are shared by those who wait while the server is down" do
      server = own_server
      cache = rails_store(redis: server.url, error_handler: nil)
      cache.read("key")
      server.kill
      begun, go = Array.new(2) { Thread::Queue.new }
      first = Thread.new { cache.fetch("key") { begun << true and go.pop and ["loaded"] } }
      begun.pop
      others = Array.new(4) { Thread.new { cache.fetch("key") { raise "loaded twice" } } }
      until_coalesced(cache.ccache, 4)
      go << true
      expect(join(first, others)).to eq([["loaded"]] * 5)
    end

    context "above max_value_bytes" do
      let(:cache) { rails_store(max_value_bytes: 1000) }
      let(:large) { "x" * 5000 }

      it "are their caller's, and nothing older is left" do
        expect(cache.fetch("key") { large }).to eq(large)
        expect(cache.fetch("key", lock: 30) { large }).to eq(large)
        expect(cache.fetch("key", force: true) { large }).to eq(large)
        expect(cache.fetch_multi("key", "other") { |name| name == "key" ? large : 1 })
          .to eq("key" => large, "other" => 1)
        expect([cache.read("other"), cache.exist?("key")]).to eq([1, false])
        cache.write("key", "old")
        expect(cache.write("key", large)).to be(false)
        expect(cache.read("key")).to be_nil
        cache.write("key", "old")
        expect(cache.write("key", large, unless_exist: true)).to be(false)
        expect(cache.read("key")).to eq("old")
        expect(cache.ccache.stats[:refusals]).to eq(6)
      end

      it "keep no others from being written" do
        cache.write("large", "old")
        cache.write_multi({ "a" => 1, "large" => large, "b" => 2 })
        expect(cache.read_multi("a", "large", "b")).to eq("a" => 1, "b" => 2)
      end
    end
  end
end
