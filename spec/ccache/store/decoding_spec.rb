# frozen_string_literal: true

# To see red: in ext/ccache/src/stored.rs leave out `or_else`.
RSpec.describe Ccache::Store, "what cannot be decoded any more" do
  # What Marshal cannot load while `broken` says so.
  let(:kind) do
    stub_const("DecodingSpecThing", Class.new do
      class << self
        attr_accessor :broken
      end

      def marshal_dump = 1
      def marshal_load(_) = self.class.broken&.call
    end)
  end
  let(:events) { [] }
  let(:store) do
    described_class.new(values: :auto, on_event: lambda do |name, facts|
      events << [name, facts[:key], facts[:error].class]
    end)
  end

  def break_with(error)
    kind.broken = -> { raise error, "gone" }
  end

  [ArgumentError, NotImplementedError, LoadError, SystemStackError, SyntaxError].each do |error|
    it "is an error of ours for get, with the key: #{error}" do
      store["key"] = kind.new
      break_with(error)
      calls = [-> { store["key"] }, -> { store.get("key") }, -> { store.get("key", values: :fresh) },
               -> { store.get_multi("key") }, -> { store.entry("key") }, -> { store.each.to_a },
               -> { store.update("key") { nil } }, -> { store.increment("key") }]
      expected = have_attributes(key: "key", server: nil, retriable?: false, message: /cannot load.*"key"/)
      calls.each { |call| expect(&call).to raise_error(Ccache::CodecError) { |e| expect(e).to expected } }
      expect(events.uniq).to eq([[:undecodable, "key", Ccache::CodecError]])
      expect([store.key?("key"), store.size]).to eq([true, 1])
    end

    it "is loaded anew, once, and replaced: #{error}" do
      store["key"] = kind.new
      break_with(error)
      expect(store.fetch("key") { "new" }).to eq("new")
      expect(events).to eq([[:undecodable, "key", Ccache::CodecError]])
      expect(store["key"]).to eq("new")
    end
  end

  it "is loaded anew by fetch_multi, and with values: :fresh; the others are hits" do
    store["a"] = 1
    %w[b c].each { |key| store[key] = kind.new }
    break_with(LoadError)
    expect(store.fetch_multi("a", "b") { |key| "#{key} anew" }).to eq("a" => 1, "b" => "b anew")
    expect(store.fetch("c", values: :fresh) { "c anew" }).to eq("c anew")
    expect(store.get_multi("a", "b", "c")).to eq("a" => 1, "b" => "b anew", "c" => "c anew")
  end

  it "is not replaced by a load that raises" do
    store["key"] = kind.new
    break_with(LoadError)
    expect { store.fetch("key") { raise "no" } }.to raise_error("no")
    kind.broken = nil
    expect(store["key"]).to be_a(kind)
  end

  it "is so when the class is gone, or the struct has changed" do
    store["class"] = stub_const("DecodingSpecGone", Class.new).new
    store.set("struct", stub_const("DecodingSpecStruct", Struct.new(:a, :b)).new(1, 2), values: :fresh)
    hide_const("DecodingSpecGone")
    stub_const("DecodingSpecStruct", Struct.new(:a))
    expect { store["class"] }.to raise_error(Ccache::CodecError, /DecodingSpecGone/)
    expect { store["struct"] }.to raise_error(Ccache::CodecError)
    expect(%w[class struct].map { |key| store.fetch(key) { "new" } }).to eq(%w[new new])
  end

  it "is nothing to a write that wants no entry, as with a server, and is one to others" do
    store["key"] = kind.new
    expect { store.set("key", "new", if_none_match: "*") }.to raise_error(Ccache::PreconditionFailed)
    break_with(LoadError)
    expect { store.set("key", "new", if_match: "older") }.to raise_error(Ccache::PreconditionFailed)
    etag = store.set("key", "new", if_none_match: "*")
    expect([store["key"], store.etag("key")]).to eq(["new", etag])
    expect { store.set("key", "newer", if_none_match: "*") }.to raise_error(Ccache::PreconditionFailed)
  end

  it "can be written and removed like any other" do
    %w[a b].each { |key| store[key] = kind.new }
    break_with(LoadError)
    store["a"] = 1
    expect([store.delete("b"), store.get_multi("a", "b")]).to eq([true, { "a" => 1 }])
  end

  it "is told to on_event: when it leaves, since on_evict: cannot have it" do
    store = described_class.new(values: :fresh, on_evict: ->(*) {}, on_event: ->(*told) { events << told })
    store["key"] = kind.new
    break_with(LoadError)
    expect(store.delete("key")).to be(true)
    expect(events.map { |name, facts| [name, facts[:key]] }).to eq([[:undecodable, "key"], [:on_evict_failed, "key"]])
  end

  it "lets through what ends a thread or a process: not the value's fault" do
    store["key"] = kind.new
    kind.broken = -> { exit }
    expect { store["key"] }.to raise_error(SystemExit)
    kind.broken = -> { raise Interrupt }
    expect { store.fetch("key") { 1 } }.to raise_error(Interrupt)
    kind.broken = -> { throw :out, 2 }
    expect(catch(:out) { store["key"] }).to eq(2)
    kind.broken = -> { Thread.current.kill }
    expect(join(Thread.new { store["key"] })).to eq([nil])
  end
end
