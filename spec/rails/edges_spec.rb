# frozen_string_literal: true

require_relative "rails_stores"
require "active_support/duration"

# To see red: `is_a?(Integer)` for `Integer ===` in lib/ccache/store/remote/writing.rb;
# `value.frozen?` for a copy in reading.rb's `own`; no look at `version` in naming.rb.
RSpec.describe "The Rails store" do
  include RailsStores

  for_stores do
    # Another process, with a server.
    def another(**options)
      settings[:redis] ? rails_store(**options) : cache
    end

    it "gives a Duration back as one, although that says to be an Integer" do
      cache.write("key", 5.minutes)
      expect(another.read("key")).to be_an_instance_of(ActiveSupport::Duration).and eq(5.minutes)
      expect(another.read("key").inspect).to eq("5 minutes")
    end

    it "counts nil as 0" do
      cache.write("key", nil)
      expect(cache.increment("key", 2)).to eq(2)
      expect(cache.read("key")).to eq(2)
    end

    it "has nothing where the lifetime is over at once" do
      cache.write("key", "old")
      expect(cache.write("key", "new", expires_in: 0)).to be(true)
      expect([cache.read("key"), cache.exist?("key")]).to eq([nil, false])
    end

    it "has nothing where the moment has passed at which it is over" do
      cache.write("key", "new", expires_at: Time.now - 10)
      expect(cache.read("key")).to be_nil
    end

    it "copies for who asks for that what was written to be shared" do
      shared = ["mine"]
      cache.write("key", shared, values: :shared)
      expect(cache.read_multi("key", values: :fresh)["key"]).to eq(["mine"])
      next if RailsStores::FRESH.include?(RailsStores::KINDS.key(settings))

      expect(cache.read_multi("key", values: :fresh)["key"]).not_to equal(cache.read("key"))
    end

    it "takes long names, with and without options, for the same" do
      [240, 251, 1024, 1025].each do |length|
        cache.write(name = "n" * length, length)
        expect([cache.read(name), cache.read(name, {}), cache.fetch(name) { raise "not run" }]).to eq([length] * 3)
      end
    end
  end

  for_stores(RailsStores::LOCAL) do
    it "deletes by a Regexp beside keys that are no text" do
      cache = rails_store(namespace: "é")
      cache.write("\xFF\xFE".b, 1)
      cache.write("café", 2)
      expect(cache.delete_matched(/é\z/)).to eq(1)
      expect([cache.read("\xFF\xFE".b), cache.read("café")]).to eq([1, nil])
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "reads what is of its own version alone" do
      rails_store(version: "v1").write("key", "old")
      store = rails_store(version: "v2")
      expect([store.read("key"), store.read("key", {}), store.exist?("key")]).to eq([nil, nil, false])
      expect(store.fetch("key") { "new" }).to eq("new")
      expect(store.read("key")).to eq("new")
    end

    it "keeps what others may have a little longer for no longer than that" do
      cache.write("key", "value", expires_in: 60, race_condition_ttl: 5)
      left = Servers.shared.command("PTTL", "#{namespace}:key")
      expect(left).to be_between(1, 65_000)
    end

    it "gives back a Hash that looks like its own wrapper, with a coder that knows Hashes alone" do
      cache = rails_store(coder: :json)
      cache.write("key", hash = { "ccache.item" => 1, "value" => 3 })
      expect(rails_store(coder: :json).read("key")).to eq(hash)
    end
  end
end
