# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store without its server" do
  include RailsStores

  let(:server) { own_server }
  let(:handled) { [] }
  let(:error_handler) { ->(method:, returning:, exception:) { handled << [method, returning, exception.class] } }
  let(:options) { { redis: server.url, error_handler: error_handler } }
  let(:cache) { rails_store(**options) }
  # What Rails' RedisCacheStore of this version returns.
  let(:unwritten) { ActiveSupport.gem_version >= Gem::Version.new("7.1") ? nil : false }

  for_stores(RailsStores::REMOTE) do
    before do
      cache.write_multi({ "key" => "value", "number" => 1 })
      cache.read("key")
      server.kill
    end

    it "misses, and raises nothing" do
      expect([cache.read("key"), cache.fetch("key"), cache.etag("key"),
              cache.exist?("key")]).to eq([nil, nil, nil, false])
      expect(cache.read_multi("key", "number")).to eq({})
      expect([cache.write("key", 1), cache.write("new", 1, unless_exist: true)]).to eq([unwritten, unwritten])
      expect([cache.delete("key"), cache.delete_multi(%w[key])]).to eq([false, 0])
      expect([cache.increment("number"), cache.decrement("number"), cache.clear, cache.delete_matched("k*")])
        .to eq([nil, nil, nil, nil])
      expect { cache.write_multi({ "key" => 1 }) }.not_to raise_error
    end

    it "runs the block of a fetch, once" do
      runs = 0
      expect(cache.fetch("key") { runs += 1 }).to eq(1)
      expect(cache.fetch("key", expires_in: 5) { runs += 1 }).to eq(2)
      expect(cache.fetch("key", lock: 5) { runs += 1 }).to eq(3)
      expect(cache.fetch("key", force: true) { runs += 1 }).to eq(4)
      expect(cache.fetch_multi("key", "b") { runs += 1 }).to eq("key" => 5, "b" => 6)
      failing = ->(_key) { (runs += 1) && raise(Ccache::ConnectionError, "the block's own") }
      expect { cache.fetch("none", &failing) }.to raise_error(Ccache::ConnectionError, "the block's own")
      expect(runs).to eq(7)
    end

    it "tells the error handler what failed, and what was returned instead" do
      cache.read("key")
      cache.fetch("key") { 1 }
      cache.delete("key")
      expect(handled.map { |method, returning, _| [method, returning] })
        .to eq([[:read_entry, nil], [:read_entry, nil], [:write_entry, unwritten], [:delete_entry, false]])
      expect(handled.map(&:last)).to all(eq(Ccache::ConnectionError))
    end

    it "works again when the server does" do
      expect(cache.read("key")).to be_nil
      server.restart
      eventually { cache.write("key", "again") == true }
      expect(cache.read("key")).to eq("again")
    end

    context "with a handler that raises" do
      let(:error_handler) { ->(exception:, **) { raise exception } }

      it "raises" do
        [-> { cache.read("key") }, -> { cache.fetch("key") { 1 } }, -> { cache.read_multi("key") },
         -> { cache.write("key", 1) }, -> { cache.write_multi({ "key" => 1 }) }, -> { cache.delete("key") },
         -> { cache.exist?("key") }, -> { cache.increment("key") }, -> { cache.clear },
         -> { cache.fetch_multi("key") { 1 } }].each { |call| expect(&call).to raise_error(Ccache::ConnectionError) }
      end
    end

    context "without a handler" do
      let(:error_handler) { nil }

      it "is silent" do
        expect(cache.read("key")).to be_nil
      end
    end

    context "with the default handler" do
      let(:options) { { redis: server.url } }

      it "writes a line to the log, without a value" do
        line = logged(Logger::INFO) { cache.write("key", "secret") }
        expect(line).to include("write_entry failed, returned #{unwritten.inspect}: Ccache::ConnectionError")
        expect(line).not_to include("secret")
      end
    end
  end

  for_stores(RailsStores::REMOTE) do
    let(:coder) do
      Struct.new(:reads) do
        def dump(value)
          Marshal.dump(value)
        end

        def load(bytes)
          bytes.match?(reads) ? Marshal.load(bytes) : raise(TypeError, "cannot read that")
        end
      end
    end
    let(:options) { { redis: server.url, error_handler: error_handler, coder: coder.new(/readable/) } }

    it "misses what this process cannot decode, and fetch replaces it" do
      rails_store(**options, coder: coder.new(//)).write_multi({ "key" => "something", "number" => 1 }, version: 1)
      expect([cache.read("key"), cache.exist?("key"), cache.increment("number")]).to eq([nil, false, nil])
      cache.write("other", "readable")
      expect(cache.read_multi("key", "other")).to eq("other" => "readable")
      expect(handled.map(&:last).uniq).to eq([Ccache::CodecError])
      expect(cache.fetch("key") { "readable" }).to eq("readable")
      expect(cache.read("key")).to eq("readable")
    end
  end
end
