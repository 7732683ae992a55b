# frozen_string_literal: true

require "openssl"

# Signatures, and secrets that stay secret.
#
# To see red: in ext/ccache_core/src/remote/wire.rs leave the key out of `sign`,
# or let `verifies` be true always.
RSpec.describe Ccache::Store, "trust" do
  let(:new_key) { "new key, of sixteen bytes or more" }
  let(:old_key) { "old key, of sixteen bytes or more" }
  let(:events) { [] }
  let(:store) { remote(signing_keys: [new_key, old_key], on_event: ->(name, _) { events << name }) }

  # Loads nothing that is not to be loaded.
  let(:watched) do
    Class.new do
      attr_reader :loads

      def dump(value) = Marshal.dump(value)

      def load(bytes)
        @loads = @loads.to_i + 1
        Marshal.load(bytes)
      end
    end.new
  end

  it "reads what one of its keys signed" do
    remote(signing_keys: old_key).set("key", "value " * 500)
    expect(store["key"]).to eq("value " * 500)
    store.set("other", "value", etag: "v1")
    expect(remote(signing_keys: [new_key]).entry("other")).to have_attributes(value: "value", etag: "v1")
  end

  it "never decodes what does not verify" do
    signed = remote(signing_keys: [new_key], coder: watched, on_event: ->(name, _) { events << name })
    remote(coder: watched).set("unsigned", "value")
    remote(coder: watched, signing_keys: [old_key]).set("by another", "value")
    signed.set("key", "value")
    put_raw("moved", raw("key"))
    bytes = raw("key")
    put_raw("changed", bytes.tap { bytes.setbyte(bytes.bytesize - 1, 0) })
    put_raw("number", "42")
    names = ["unsigned", "by another", "moved", "changed", "number"]
    before = watched.loads
    expect(names.map { |name| signed.get(name) }).to all(be_nil)
    expect(watched.loads).to eq(before)
    expect(events).to eq([:unverified] * 5)
    expect(signed.stats).to include(unverified: 5, misses: 5)
    expect(signed.fetch("moved") { "loaded" }).to eq("loaded")
  end

  it "believes a tag that it has not seen only with the value that is signed" do
    remote(signing_keys: [old_key]).set("key", "value", etag: "v1")
    put_raw("moved", raw("key"))
    remote.set("unsigned", "value")
    expect(%w[key moved unsigned].map { |key| store.etag(key) }).to eq(["v1", nil, nil])
    expect(store.stats[:transfers]).to eq(1)
  end

  it "counts integers that are signed" do
    expect([store.increment("key", 5), store.increment("key"), store.decrement("key", 2)]).to eq([5, 6, 4])
    expect(raw("key")).not_to eq("4")
    expect(remote(signing_keys: [new_key])["key"]).to eq(4)
  end

  it "shows no key and no password, whatever goes wrong" do
    secret = "s3cret-and-long-enough"
    closed = "redis://user:#{secret}@127.0.0.1:1/2"
    store = remote(redis: closed, signing_keys: [secret])
    messages = [
      store.inspect,
      store.stats.inspect,
      error_of { store.get("key") },
      error_of { store.set("key", "value") },
      error_of { Ccache::Store.new(redis: "redis://#{secret}@%zz") },
      error_of { Ccache::Store.new(redis: "redis://:#{secret}@host/notanumber") },
      error_of { Ccache::Store.new(redis: { password: [secret] }) },
      error_of { Ccache::Store.new(redis: { passwort: secret }) },
      error_of { Ccache::Store.new(signing_keys: ["x", secret]) }
    ]
    expect(messages.join("\n")).not_to include(secret)
    expect(store.inspect).to include("server=redis://127.0.0.1:1/2")
  end

  it "authenticates with the password, and says when it is missing or wrong" do
    server = own_server("--requirepass", "s3cret")
    store = remote(redis: { url: server.url(3), password: "s3cret" })
    store.set("key", "value")
    expect(store["key"]).to eq("value")
    expect { remote(redis: server.url).get("key") }.to raise_error(Ccache::ServerError, /NOAUTH/)
    expect do
      remote(redis: server.url.sub("//", "//:wrong@")).get("key")
    end.to raise_error(Ccache::ServerError, /WRONGPASS/)
  end

  def error_of
    yield
    raise "no error"
  rescue Ccache::Error => e
    shown(e)
  end

  # To show code beside the message Ruby 3.4 loads its parser, for minutes under GC.stress.
  def shown(error)
    without_stress { [error.message, error.inspect, error.full_message, error.cause&.full_message].join }
  end

  it "shows no value that could not be written" do
    dead = remote(redis: "redis://127.0.0.1:1")
    expect { dead.set_multi({ "a" => "SECRET", "b" => "SECRET" }) }.to raise_error(Ccache::ConnectionError) { |error|
      expect(error.key).to eq(%w[a b])
      expect(shown(error)).not_to include("SECRET")
    }
    options = dead.instance_variable_get(:@_remote)
    expect(options.inspect).to eq("#<Ccache::RemoteOptions namespace=#{namespace}>")
    pem = OpenSSL::PKey::EC.generate("prime256v1").to_pem
    expect(error_of { Ccache::Store.new(redis: { ssl_params: { key: pem } }) }).not_to include(pem[40, 20])
    expect(error_of { Ccache::Store.new(redis: { url: "redis://x", ssl_params: {} }) }).to include("rediss URL")
  end
end
