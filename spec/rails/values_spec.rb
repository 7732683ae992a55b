# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's values" do
  include RailsStores

  for_stores do
    let(:plain) { [RailsStores::Record.new(1, %w[a b]), { "key" => +"text" }] }

    it "leave what was written to its owner, who may change it" do
      cache.write("key", plain)
      cache.write_multi({ "many" => plain })
      cache.fetch("loaded") { plain }
      plain[0].tags << "c"
      plain[1]["key"] << "!"
      expect(%w[key many loaded].map { |key| cache.read(key) })
        .to all(eq([RailsStores::Record.new(1, %w[a b]), { "key" => "text" }]))
      expect(plain).not_to be_frozen
    end

    it "are a private, mutable copy for who asks for that" do
      cache.write("key", plain)
      2.times do
        copies = [cache.read("key", values: :fresh), cache.fetch("key", values: :fresh) { raise "not run" },
                  cache.read_multi("key", values: :fresh)["key"]]
        copies.each { |copy| copy[0].tags << "changed" }
        expect(copies.map(&:object_id).uniq.size).to eq(3)
      end
      expect(cache.read("key")).to eq(plain)
    end

    it "are a fresh copy at each read if they are no plain data" do
      thing = Ccache::SpecThing.new(+"name")
      cache.write("key", thing, expires_in: 60)
      copies = [cache.read("key"), cache.read("key", {}), cache.fetch("key") { raise "not run" },
                cache.read_multi("key")["key"]]
      copies.each { |copy| copy.name << "!" }
      expect(copies.map(&:name)).to all(eq("name!"))
      expect(copies.map(&:object_id).uniq.size).to eq(4)
      expect(thing.name).to eq("name")
    end

    it "may be shared or kept fresh per write" do
      cache.write("fresh", plain, values: :fresh)
      expect(cache.read("fresh")).to eq(plain)
      expect(cache.read("fresh")).not_to be_frozen
      expect { cache.write("key", 1, values: :unknown) }.to raise_error(Ccache::InvalidOption, /values: takes one of/)
      expect { cache.read("key", values: :unknown) }.to raise_error(Ccache::InvalidOption, /values: takes one of/)
    end

    it "are refused if they cannot be copied, as Rails refuses them" do
      expect { cache.write("key", -> {}) }.to raise_error(Ccache::Error, /Proc/)
      expect { cache.fetch("key") { -> {} } }.to raise_error(Ccache::Error, /Proc/)
      expect(cache.exist?("key")).to be(false)
    end
  end

  for_stores(RailsStores::SHARING) do
    it "are one deeply frozen object for all readers of plain data" do
      [{}, { expires_in: 60 }, { version: 1 }].each do |options|
        cache.write("key", [RailsStores::Record.new(1, %w[a b])], options)
        readers = [cache.read("key"), cache.read("key", {}), cache.fetch("key") { raise "not run" },
                   cache.fetch("key", version: 1) { raise "not run" }, cache.read_multi("key")["key"]]
        expect(readers).to all(equal(readers.first))
        expect(Ractor.shareable?(readers.first)).to be(true)
        expect { readers.first[0].tags << "c" }.to raise_error(FrozenError)
      end
    end

    it "are that object for the one who loads, too" do
      loaded = cache.fetch("key") { [+"text"] }
      expect(cache.read("key")).to equal(loaded)
      many = cache.fetch_multi("a") { [+"text"] }
      expect(cache.read("a")).to eq(many["a"])
      forced = cache.fetch("key", force: true) { [+"forced"] }
      expect([loaded, many["a"], forced]).to all(be_frozen)
    end
  end

  for_stores(RailsStores::FRESH) do
    it "are each reader's own" do
      cache.write("key", [+"text"])
      copies = [cache.read("key"), cache.read("key", {}), cache.fetch("key") { raise "not run" },
                cache.read_multi("key")["key"], cache.fetch("loaded") { [+"text"] }, cache.fetch("loaded") { raise }]
      copies.each { |copy| copy[0] << "!" }
      expect(copies).to all(eq(["text!"]))
      expect(copies.map(&:object_id).uniq.size).to eq(6)
    end
  end
end
