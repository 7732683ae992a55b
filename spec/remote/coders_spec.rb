# frozen_string_literal: true

# To see red: in ext/ccache_core/src/remote/wire.rs leave out `check_length`.
RSpec.describe Ccache::Store, "coders and compression" do
  let(:text) { "a text that compresses well " * 100 }

  # The tag is the gem's name: rake core goes without the gems that have native code.
  { json: [], message_pack: [:msgpack] }.each do |coder, gems|
    it "encode as #{coder}, and read their own value back at once", *gems do
      here, there = Array.new(2) { remote(coder: coder) }
      here.set("key", { a: [1, nil, "é"] })
      expect([here["key"], there["key"]]).to all(eq({ "a" => [1, nil, "é"] }))
      expect(here["key"]["a"].last.encoding).to eq(Encoding::UTF_8)
      expect(here.stats[:transfers]).to eq(0)
    end
  end

  it "may be any object with dump and load" do
    reverse = Object.new
    def reverse.dump(text) = text.reverse
    def reverse.load(text) = text.reverse
    remote(coder: reverse).set("key", "abc")
    expect(raw("key")).to end_with("cba")
    expect(remote(coder: reverse)["key"]).to eq("abc")
  end

  it "that break say so, with the key" do
    broken = Object.new
    def broken.dump(value) = value == "raise" ? raise("no") : value
    def broken.load(_) = raise("never")
    store = remote(coder: broken)
    expect do
      store.set("key", "raise")
    end.to raise_error(Ccache::CodecError, /cannot dump a String: RuntimeError \(key "key"\)/)
    expect { store.set("key", :symbol) }.to raise_error(Ccache::CodecError, /returned a Symbol, not a String/)
    expect { store.set("key", "text") }.to raise_error(Ccache::CodecError, /cannot load a value/)
    expect(raw("key")).to be_nil
  end

  it "compress from 1 KiB on, with zstd unless told otherwise" do
    sizes = [nil, :zstd, :lz4, :none].map do |compress|
      store = compress ? remote(compress: compress) : remote
      store.set("key", text)
      expect(remote["key"]).to eq(text)
      raw("key").bytesize
    end
    expect(sizes[0]).to eq(sizes[1]).and be < 200
    expect(sizes[2]).to be < 300
    expect(sizes[3]).to be > text.bytesize
    remote.set("short", "a" * 1000)
    expect(raw("short").bytesize).to be > 1000
    remote(compress_from: 100).set("short", "a" * 1000)
    expect(raw("short").bytesize).to be < 200
  end

  it "leave the tag as it is: it is the content's" do
    tags = %i[zstd lz4 none].map { |compress| remote(compress: compress).set("key", text) }
    expect(tags.uniq.size).to eq(1)
  end

  it "bound a value's size, before and after" do
    store = remote(max_value_bytes: 1000)
    expect { store.set("key", text) }
      .to raise_error(Ccache::CodecError, /has #{Marshal.dump(text).bytesize} bytes, max_value_bytes is 1000.*"key"/)
    expect(raw("key")).to be_nil
    remote.set("key", text)
    expect(raw("key").bytesize).to be < 1000
    expect { store.get("key") }.to raise_error(Ccache::CodecError, /max_value_bytes is 1000/)
    expect { store.get_multi("key") }.to raise_error(Ccache::CodecError, /max_value_bytes is 1000/)
    expect(store.fetch("key") { "short" }).to eq("short")
  end

  it "take large values that nobody can compress" do
    large = Random.new(7).bytes(Scale.of(16 * 1024 * 1024, small: 100_000))
    remote.set("key", large)
    expect(remote["key"] == large).to be(true)
  end
end
