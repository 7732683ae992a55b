# frozen_string_literal: true

RSpec.describe Ccache::Store, "bad input", :mistyped do
  subject(:store) { described_class.new }

  it "is an unknown option, which the message names together with the known ones" do
    expect { described_class.new(max_size: 1, ttl: 2) }
      .to raise_error(Ccache::InvalidOption,
                      /\Aunknown options max_size, ttl; there are max_entries, max_bytes, weigher, /)
    expect { store.set("key", 1, ttl: 2) }.to raise_error(ArgumentError, /ttl/)
    expect { store.get("key", ttl: 2) }.to raise_error(ArgumentError, /ttl/)
    expect { store.fetch("key", ttl: 2) { 1 } }.to raise_error(ArgumentError, /ttl/)
    expect { store.delete("key", ttl: 2) }.to raise_error(ArgumentError, /ttl/)
    expect(store.size).to eq(0)
  end

  [0, -1, 1.5, "10", :many, 2**32, Object.new].each do |bad|
    it "is max_entries: #{bad.class} #{bad if bad.is_a?(Numeric)}" do
      expect { described_class.new(max_entries: bad) }
        .to raise_error(Ccache::InvalidOption, /max_entries: takes an Integer from 1 to 4294967294, or nil/)
    end
  end

  it "is an unknown policy" do
    message = "values: takes one of :shared, :frozen, :copied, :fresh, :auto, got :deep"
    calls = [
      -> { described_class.new(values: :deep) }, -> { store.set("key", 1, values: :deep) },
      -> { store.fetch("key", values: :deep) { 1 } }, -> { store.update("key", values: :deep) { 1 } },
      -> { store.set_multi({ "key" => 1 }, values: :deep) }
    ]
    calls.each { |call| expect(&call).to raise_error(Ccache::InvalidOption, message) }
    expect { store.get("key", values: :copied) }.to raise_error(Ccache::InvalidOption, /:fresh or nil, got :copied/)
    expect(store.size).to eq(0)
  end

  ["", "a b", "a\"b", "a\n", "\x7f", "x" * 1025, :tag, 1, true, Object.new].each do |bad|
    it "is the etag #{bad.class} #{bad.to_s[0, 5].inspect}" do
      store["key"] = 1
      calls = [
        -> { store.set("key", 2, etag: bad) }, -> { store.set("key", 2, if_match: bad) },
        -> { store.get("key", if_none_match: bad) }, -> { store.delete("key", if_match: bad) }
      ]
      calls.each { |call| expect(&call).to raise_error(Ccache::InvalidEtag, /an etag is a String of 1 to 1024/) }
      expect(store["key"]).to eq(1)
    end
  end

  it "freezes nothing when the key or the etag is bad" do
    value = [+"a"]
    expect { store.set(1, value, values: :frozen) }.to raise_error(Ccache::InvalidKey)
    expect { store.set("key", value, values: :frozen, etag: "") }.to raise_error(Ccache::InvalidEtag)
    expect { store.set_multi({ "a" => value, 1 => value }, values: :frozen) }.to raise_error(Ccache::InvalidKey)
    expect(value).not_to be_frozen
  end

  it "is a number of retries that is none" do
    [-1, 1.5, nil].each do |bad|
      expect do
        store.update("key", retries: bad) do
          1
        end
      end.to raise_error(Ccache::InvalidOption, /retries: takes an Integer/)
    end
  end

  it "is a wrong number of arguments" do
    expect { store.get }.to raise_error(ArgumentError, /given 0, expected 1/)
    expect { store.set("key") }.to raise_error(ArgumentError, /given 1, expected 2/)
    expect { store.delete }.to raise_error(ArgumentError, /given 0, expected 1/)
    expect { store.get("a", "b") }.to raise_error(ArgumentError)
    expect { store.set("a", "b", "c") }.to raise_error(ArgumentError)
  end

  it "is copying or marshalling a store" do
    [-> { store.dup }, -> { store.clone }, -> { Marshal.dump(store) }, -> { Marshal.dump([store]) }].each do |call|
      expect(&call).to raise_error(Ccache::NotCopyable, /Ccache::Store cannot be/)
    end
  end

  it "is a store that was never initialized, or twice" do
    raw = described_class.allocate
    expect { raw["key"] }.to raise_error(TypeError, /initialized/)
    expect { raw.close }.to raise_error(TypeError, /initialized/)
    expect(raw).to be_closed
    expect { store.send(:initialize) }.to raise_error(RuntimeError, /initialized already/)
  end

  it "is always a Ccache::Error where it is ours" do
    errors = [Ccache::InvalidKey, Ccache::InvalidEtag, Ccache::InvalidOption, Ccache::InvalidValue,
              Ccache::NotShareable, Ccache::NotCopyable, Ccache::ClosedError, Ccache::PreconditionFailed]
    expect(errors).to all(be < Ccache::Error)
    expect(errors).to all(be < StandardError)
  end
end
