# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's counting" do
  include RailsStores

  for_stores do
    it "adds and subtracts, from 0 where nothing is" do
      expect([cache.increment("up"), cache.increment("up", 10), cache.decrement("up", 4)]).to eq([1, 11, 7])
      expect([cache.decrement("down"), cache.decrement("down", 100)]).to eq([-1, -101])
      expect(cache.read("up")).to eq(7)
    end

    it "adds to what was written, also as text" do
      [{ raw: true }, { raw: true, expires_in: 60 }, { expires_in: 60 }, {}].each do |options|
        [3, "3"].each do |three|
          cache.write("key", three, options)
          expect([cache.increment("key"), cache.increment("key"), cache.decrement("key")]).to eq([4, 5, 4])
          expect(cache.read("key", raw: true).to_i).to eq(4)
        end
      end
    end

    it "keeps the time that a number has" do
      cache.increment("new", 1, expires_in: 60)
      cache.increment("new", 1, expires_in: 6000)
      cache.write("written", 1, expires_in: 60)
      cache.increment("written", 1, expires_in: 6000)
      cache.increment("lasting")
      times = %w[new written lasting].map { |key| cache.ccache.entry(key).expires_at }
      expect(times[0..1].map { |time| time - Time.now }).to all(be_between(1, 61))
      expect(times.last).to be_nil
    end

    it "refuses what is no number" do
      cache.write("key", [1])
      expect { cache.increment("key") }.to raise_error(Ccache::InvalidValue, /no number/)
      expect { cache.increment("other", "many") }.to raise_error(ArgumentError)
    end

    it "loses no count between threads" do
      rounds = Scale.of(200, small: 10)
      [{}, { expires_in: 600 }].each do |options|
        threads = Array.new(4) { Thread.new { rounds.times { cache.increment("count#{options}", 1, options) } } }
        join(threads, within: 60)
        expect(cache.read("count#{options}")).to eq(4 * rounds)
      end
    end
  end

  for_stores(RailsStores::LOCAL) do
    it "goes by Time.now, which tests may move" do
      cache.increment("key", 5, expires_in: 60)
      travel(61)
      expect(cache.read("key")).to be_nil
      expect(cache.increment("key", 1, expires_in: 60)).to eq(1)
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "counts with other processes, and other programs of the server's" do
      other = rails_store
      expect([cache.increment("key"), other.increment("key"), cache.read("key")]).to eq([1, 2, 2])
      Servers.shared.command("INCRBY", "#{namespace}:key", "5")
      expect(cache.read("key")).to eq(7)
      expect(commands("incrby", "evalsha") { cache.increment("key") }).to eq("incrby" => 1, "evalsha" => 0)
    end
  end
end
