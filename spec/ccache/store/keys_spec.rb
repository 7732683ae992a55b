# frozen_string_literal: true

RSpec.describe Ccache::Store, "keys" do
  subject(:store) { described_class.new }

  it "are the same as String and as Symbol" do
    store[:key] = 1
    store["key"] = 2
    expect([store[:key], store.size]).to eq([2, 1])
  end

  it "count by their bytes, whatever the encoding" do
    utf8 = "caf\u00e9"
    latin = utf8.encode("ISO-8859-1")
    store[utf8] = "utf-8"
    store[latin] = "latin-1"
    expect([store[utf8.b], store[latin.b], store.size]).to eq(["utf-8", "latin-1", 2])
    expect(store.keys.map(&:encoding)).to contain_exactly(Encoding::UTF_8, Encoding::BINARY)
  end

  it "may be empty, hold NULs, or be a mebibyte long" do
    keys = ["", "\0", "a\0b", "a\0c", "x" * 1_048_576, "x" * 1_048_577]
    keys.each { |key| store[key] = key.bytesize }
    expect(keys.map { |key| store[key] }).to eq(keys.map(&:bytesize))
    expect(store.keys).to match_array(keys)
  end

  it "may be dynamic symbols that are collected afterwards" do
    name = "dynamic #{rand}"
    elsewhere { store[name.to_sym] = 1 }
    GC.start
    expect(store[name]).to eq(1)
  end

  it "do not change when the caller changes the String" do
    key = +"key"
    store[key] = 1
    key << "s"
    expect([store["key"], store["keys"], store.keys]).to eq([1, nil, ["key"]])
  end

  [nil, 1, 1.5, Object.new, ["a"], { a: 1 }, true].each do |bad|
    it "are never a #{bad.class}, for any method", :mistyped do
      calls = [
        -> { store[bad] }, -> { store.get(bad) }, -> { store.get(bad, if_none_match: "a") },
        -> { store[bad] = 1 }, -> { store.set(bad, 1) }, -> { store.set(bad, 1, expires_in: 1) },
        -> { store.set(bad, 1, values: :fresh) }, -> { store.fetch(bad) { 1 } }, -> { store.entry(bad) },
        -> { store.etag(bad) }, -> { store.key?(bad) }, -> { store.delete(bad) },
        -> { store.delete(bad, if_match: "a") }, -> { store.update(bad) { 1 } }, -> { store.get_multi(bad) },
        -> { store.set_multi({ bad => 1 }) }, -> { store.fetch_multi(bad) { 1 } }, -> { store.delete_multi(bad) }
      ]
      calls.each { |call| expect(&call).to raise_error(Ccache::InvalidKey, /String or a Symbol, got .*#{bad.class}/) }
      expect(store.stats).to include(entries: 0, pins: 0, sets: 0)
    end
  end

  it "are shown cut short and never raise in a message", :mistyped do
    long = Array.new(1000, "x")
    broken = Class.new { def inspect = raise("broken") }.new
    expect { store[long] }.to raise_error(TypeError) { |error| expect(error.message.length).to be < 200 }
    expect { store[broken] }.to raise_error(Ccache::Error, /an instance of/)
    expect { store[BasicObject.new] }.to raise_error(Ccache::InvalidKey, /an instance of BasicObject/)
  end
end
