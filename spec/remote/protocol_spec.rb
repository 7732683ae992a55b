# frozen_string_literal: true

# The test vectors of docs/protocol.md, at a real server.
#
# To see red: in ext/ccache_core/src/remote/wire.rs change a context, the order of
# what `sign` hashes, or a byte of `header`; in script.rs take any digits for an
# integer.
RSpec.describe Ccache::Store, "the wire format" do
  # The fields of each vector. A line that begins with a space goes on with the one before.
  vectors = File.read(File.expand_path("../../docs/protocol.md", __dir__))[/^```vectors\n(.*?)\n```/m, 1]
                .split("\n\n").map do |stanza|
    stanza.gsub("\n ", " ").lines(chomp: true).to_h { |line| line.split(": ", 2) }
  end

  def bytes(hex)
    [hex.delete(" ")].pack("H*")
  end

  def key_of(vector)
    vector["key"].delete_prefix("ccache:")
  end

  # A process' store with the vector's secret; each process asks the server.
  def store_of(vector)
    remote(namespace: "ccache", compress: nil, signing_keys: [vector["secret"]].compact)
  end

  def server
    Servers.shared
  end

  before { server.command("DEL", "ccache:greeting") }

  it "has a vector for each form" do
    expect(vectors.map { |vector| vector["name"] }).to include("a value", "a value with a given etag", "a signed value",
                                                               "an integer", "a lease").and(have_attributes(size: 8))
  end

  vectors.each do |vector|
    value = vector["integer"]&.to_i
    value ||= Marshal.load([vector["encoded"].delete(" ")].pack("H*")) if vector["encoded"]

    it "reads #{vector["name"]}" do
      server.command("SET", vector["key"], bytes(vector["wire"]))
      expect(store_of(vector).get(key_of(vector))).to eq(value)
      expect(store_of(vector).etag(key_of(vector))).to eq(value && vector["etag"])
      expect(store_of(vector).entry(key_of(vector))&.etag).to eq(value && vector["etag"])
    end

    next if value.nil? || vector["compressed"]

    it "writes #{vector["name"]}" do
      given = vector["given"] ? { etag: vector["given"] } : {}
      expect(store_of(vector).set(key_of(vector), value, **given)).to eq(vector["etag"])
      expect(server.command("GET", vector["key"]).unpack1("H*")).to eq(bytes(vector["wire"]).unpack1("H*"))
    end

    it "compares the tag of #{vector["name"]} on the server" do
      server.command("SET", vector["key"], bytes(vector["wire"]))
      store = store_of(vector)
      expect { store.delete(key_of(vector), if_match: "another") }.to raise_error(Ccache::PreconditionFailed)
      expect(store.delete(key_of(vector), if_match: vector["etag"])).to be(true)
    end
  end

  it "waits for the lease of another process" do
    lease = vectors.find { |vector| vector["name"] == "a lease" }
    server.command("SET", lease["key"], bytes(lease["wire"]), "PX", "100")
    store = store_of(lease)
    expect(store.key?(key_of(lease))).to be(false)
    expect(store.fetch(key_of(lease), lock: 5) { "loaded" }).to eq("loaded")
    expect(store.get(key_of(lease))).to eq("loaded")
  end

  it "has the server count in what it reads as integers, and replaces what it does not" do
    store = remote
    [0, 1, -1, (2**63) - 1, -(2**63)].each do |number|
      put_raw("key", number.to_s)
      expect(store.fetch("key") { "loaded" }).to eq(number)
      expect { store.set("key", "set", if_match: nil) }.to raise_error(Ccache::PreconditionFailed)
    end
    %w[007 -0 +1 00 - 9223372036854775808 -9223372036854775809 123456789012345678901234 1.5].each do |text|
      put_raw("key", text)
      expect(store.fetch("key") { "loaded" }).to eq("loaded")
      expect(remote["key"]).to eq("loaded"), text
    end
  end
end
