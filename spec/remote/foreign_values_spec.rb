# frozen_string_literal: true

# What is not ours is a miss, said and counted, and left where it is.
#
# To see red: in ext/ccache_core/src/remote/wire.rs take the content tag for
# right unseen in `decode`; in lib/ccache/store/remote/reading.rb delete the key
# in `reject`.
RSpec.describe Ccache::Store, "values that are not ours" do
  let(:events) { [] }
  let(:store) { remote(on_event: ->(name, payload) { events << [name, payload] }) }

  def ours
    remote.set("ours", "value " * 10)
    raw("ours")
  end

  it "are misses with an event and a count, and stay" do
    version_two = ours.tap { |bytes| bytes.setbyte(3, 2) }
    [String.new("text"), "\xCC\xAC".b, ours[0, 23], ours[0, 24], ours[0..-2], "#{ours}x", version_two].each do |bytes|
      put_raw("key", bytes)
      expect(store.get("key")).to be_nil
      expect(store.get_multi("key")).to eq({})
      expect(raw("key")).to eq(bytes)
      expect(events.uniq).to eq([[:foreign, { key: "key", server: Servers.shared.url }]])
      events.clear
    end
    expect(store.stats).to include(foreign: 14, misses: 14, entries: 0)
  end

  it "of another type are misses, too" do
    Servers.shared.command("LPUSH", "#{namespace}:key", "item")
    expect([store.get("key"), store.key?("key"), store.etag("key")]).to eq([nil, false, nil])
    expect(Servers.shared.command("TYPE", "#{namespace}:key")).to eq("list")
    expect { store.increment("key") }.to raise_error(Ccache::ServerError, /WRONGTYPE.*"key"/) { |error|
      expect(error).to have_attributes(key: "key", server: Servers.shared.url, retriable?: false)
    }
  end

  it "take the place of a value that memory held" do
    store.set("key", "value")
    put_raw("key", "text")
    expect([store.get("key"), store.size]).to eq([nil, 0])
    expect(events.first.first).to eq(:foreign)
  end

  it "are replaced by what fetch loads, or set writes" do
    put_raw("key", "text")
    expect(store.fetch("key") { "loaded" }).to eq("loaded")
    expect(remote["key"]).to eq("loaded")
    put_raw("key", "text")
    expect(store.fetch("key", lock: 5) { "leased" }).to eq("leased")
    expect(remote["key"]).to eq("leased")
    put_raw("key", "text")
    store.set("key", "set", if_match: nil)
    expect(remote["key"]).to eq("set")
  end

  it "are those of another coder" do
    remote(coder: :json).set("key", { "a" => 1 })
    expect(store["key"]).to be_nil
    expect(events.first.first).to eq(:foreign)
  end

  it "are told as errors if they are ours and the coder cannot load them" do
    klass = stub_const("GoneTomorrow", Class.new)
    remote.set("key", klass.new)
    hide_const("GoneTomorrow")
    said = /(?:undefined class|uninitialized constant).*GoneTomorrow.*"key"/ # the latter with Active Support
    expect { store.get("key") }.to raise_error(Ccache::CodecError, said) { |error|
      expect(error).to have_attributes(key: "key", retriable?: false)
    }
    expect(store.stats).to include(undecodable: 1)
    expect(events.map(&:first)).to eq([:undecodable])
    expect(store.fetch("key") { "loaded" }).to eq("loaded")
    expect(remote["key"]).to eq("loaded")
  end

  it "do not fail the other keys of a fetch for many" do
    klass = stub_const("GoneTomorrow", Class.new)
    remote.set_multi({ "bad" => klass.new, "good" => "value" })
    hide_const("GoneTomorrow")
    expect(store.fetch_multi("bad", "good") { |key| "#{key} loaded" })
      .to eq({ "bad" => "bad loaded", "good" => "value" })
  end

  it "do not stop for an on_event that fails" do
    put_raw("key", "text")
    loud = remote(on_event: ->(*) { raise "broken" })
    # a warning is an error here
    expect do
      expect(loud.get("key")).to be_nil
    end.to raise_error(/on_event of .* failed: .*broken/m)
  end

  unreadable = {
    "another coder's" => ->(spec) { spec.remote(coder: :json).set("key", { "a" => 1 }) },
    "no canonical number" => ->(spec) { spec.put_raw("key", "007") },
    "an empty string" => ->(spec) { spec.put_raw("key", "") },
    "damaged" => ->(spec) { spec.put_raw("key", spec.ours[0..-2]) },
    "unsigned" => ->(spec) { spec.remote.set("key", 5) }
  }
  unreadable.each do |name, put|
    it "give way to what fetch loads, counts and conditional writes, if #{name}" do
      store = name == "unsigned" ? remote(signing_keys: ["s" * 32]) : remote
      writes = { lock: -> { store.fetch("key", lock: 5) { 1 } }, fetch: -> { store.fetch("key") { 1 } },
                 increment: -> { store.increment("key") }, if_match: -> { store.set("key", 1, if_match: nil) } }
      writes.each do |how, write|
        put.call(self)
        Timeout.timeout(20) { write.call }
        expect(store.get("key")).to eq(1), how.to_s
      end
    end
  end

  it "give way to nothing that came since they were looked at" do
    stub_const("GoneTomorrow", Class.new)
    remote.set("key", GoneTomorrow.new)
    hide_const("GoneTomorrow")
    expect(store.fetch("key") { remote.set("key", "newer") && "older" }).to eq("older")
    expect(store["key"]).to eq("newer")
    put_raw("key", "text")
    expect(store.fetch("key") { remote.set("key", "newer") && "older" }).to eq("older")
    expect(store["key"]).to eq("newer")
  end
end
