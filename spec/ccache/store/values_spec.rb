# frozen_string_literal: true

require "date"
require "set"

RSpec.describe Ccache::Store, "values:" do
  # A value object that opts in to sharing.
  let(:money) do
    Class.new do
      include Ccache::PlainData

      def initialize(amounts)
        @amounts = amounts
      end
    end
  end

  def store(policy)
    described_class.new(values: policy)
  end

  let(:value) { { "list" => [+"a", [+"b"]] } }

  def deeply_frozen?(object)
    Ractor.shareable?(object)
  end

  describe ":shared" do
    it "keeps the object itself, mutable" do
      store = store(:shared)
      store["key"] = value
      value["list"] << "more"
      expect(store["key"]).to equal(value)
      expect(store["key"]["list"].last).to eq("more")
    end
  end

  describe ":frozen" do
    it "freezes the object itself with all that it refers to" do
      store = store(:frozen)
      store["key"] = value
      expect(store["key"]).to equal(value)
      expect(deeply_frozen?(value)).to be(true)
      expect { store["key"]["list"][1][0] << "x" }.to raise_error(FrozenError)
    end

    it "freezes nothing when a part cannot be frozen, and names the class" do
      bad = [+"a", Thread::Mutex.new]
      expect { store(:frozen).set("key", bad) }.to raise_error(Ccache::InvalidValue, /freeze this Array.*Mutex/)
      expect([bad.frozen?, bad[0].frozen?]).to eq([false, false])
    end
  end

  describe ":copied" do
    it "keeps a frozen deep copy; the caller's original stays mutable and apart" do
      store = store(:copied)
      store["key"] = value
      value["list"] << "more"
      expect(store["key"]).to eq("list" => ["a", ["b"]])
      expect(store["key"]).to equal(store["key"])
      expect(deeply_frozen?(store["key"])).to be(true)
      expect { store["key"]["list"] << "x" }.to raise_error(FrozenError)
      expect { store["key"]["list"][0] << "x" }.to raise_error(FrozenError)
    end

    it "keeps cycles and what is frozen already" do
      frozen = Ractor.make_shareable([+"a"])
      value = [frozen]
      value << value
      store = store(:copied)
      store["key"] = value
      expect(store["key"][1]).to equal(store["key"])
      expect(store["key"][0]).to equal(frozen)
    end

    it "refuses what cannot be copied, naming the class" do
      expect { store(:copied).set("key", proc {}) }.to raise_error(Ccache::InvalidValue, /copy this Proc/)
    end

    it "gives the loader's caller the copy as well" do
      loaded = store(:copied).fetch("key") { value }
      expect(loaded).to eq(value).and be_frozen
      expect(value).not_to be_frozen
    end
  end

  describe ":fresh" do
    it "gives a new mutable object at each read" do
      store = store(:fresh)
      store["key"] = value
      one, two = Array.new(2) { store["key"] }
      one["list"].clear
      expect(two).to eq(value)
      expect(store.get("key")).to eq(value)
      expect(store.entry("key").value).to eq(value)
      expect(store.fetch("key") { raise "loaded twice" }).not_to be_frozen
      expect(store.each.to_a).to eq([["key", value]])
      expect(store.pin_list.size).to eq(0)
    end

    it "refuses what cannot be encoded, naming the class" do
      expect { store(:fresh).set("key", proc {}) }.to raise_error(Ccache::InvalidValue, /encode this Proc/)
    end

    it "keeps the entry when its class is gone for a while, and raises meanwhile" do
      store = store(:fresh)
      stub_const("Gone", Struct.new(:a))
      store["key"] = Gone.new(1)
      hide_const("Gone")
      expect { store["key"] }.to raise_error(Ccache::CodecError, /Gone/)
      expect(store.size).to eq(1)
    end
  end

  describe ":auto" do
    before { stub_const("Money", money) }

    let(:auto) { store(:auto) }

    plain = {
      "strings" => -> { +"a" }, "numbers" => -> { [1, 2**80, 1.5, 2r, 3i] }, "symbols" => -> { [:a] },
      "times" => -> { [Time.now, Date.new(2026, 1, 2), DateTime.new(2026, 1, 2)] }, "ranges" => -> { ["a".."b"] },
      "sets" => -> { Set[+"a"] }, "hashes" => -> { { [+"a"] => { b: nil } } }, "structs" => lambda {
                                                                                              Struct.new(:a).new([1])
                                                                                            }
    }
    plain.each do |name, make|
      it "shares a frozen copy of #{name}" do
        value = make.call
        auto["key"] = value
        expect(auto["key"]).to eq(value)
        expect(auto["key"]).to equal(auto["key"])
        expect(deeply_frozen?(auto["key"])).to be(true)
      end
    end

    it "shares what opts in, if its parts are plain" do
      auto["key"] = Money.new([1])
      expect(auto["key"]).to equal(auto["key"])
      auto["key"] = Money.new([Object.new])
      expect(auto["key"]).not_to equal(auto["key"])
    end

    it "gives anything else fresh: other objects, subclasses, what contains them" do
      stub_const("Text", Class.new(String))
      stub_const("Thing", Class.new { attr_accessor :name })
      [Text.new("a"), Thing.new, [Thing.new], { a: Text.new("b") }].each do |value|
        auto["key"] = value
        expect(auto["key"]).not_to equal(auto["key"])
        expect(auto["key"]).not_to be_frozen
      end
    end

    it "copes with cycles" do
      cycle = [1]
      cycle << cycle
      auto["key"] = cycle
      expect(auto["key"][1]).to equal(auto["key"])
    end
  end

  it "can be said per call" do
    store = store(:shared)
    store.set("copied", value, values: :copied)
    store.fetch("frozen", values: :frozen) { [+"a"] }
    store.set_multi({ "fresh" => [1] }, values: :fresh)
    expect(store["copied"]).to be_frozen
    expect(store["frozen"]).to be_frozen
    expect(store["fresh"]).not_to equal(store["fresh"])
  end
end
