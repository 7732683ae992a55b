# frozen_string_literal: true

RSpec.describe Ccache::Store, "writing" do
  subject!(:store) { described_class.new }

  it "returns a new frozen tag for every write, also of the same object" do
    object = Object.new
    tags = Array.new(100) { store.set("key", object) }
    expect(tags.uniq.size).to eq(100)
    expect(tags).to all(be_frozen.and(be_a(String)))
    expect(store.etag("key")).to eq(tags.last)
  end

  it "never makes the same tag in two stores" do
    other = described_class.new
    tags = Array.new(100) { [store.set("key", 1), other.set("key", 1)] }.flatten
    expect(tags.uniq.size).to eq(200)
  end

  it "takes the caller's own tag" do
    expect(store.set("key", 1, etag: "v1")).to eq("v1").and be_frozen
    expect(store.etag("key")).to eq("v1")
  end

  it "replaces the value by []= and gives back what was assigned" do
    expect(store["key"] = "first").to eq("first")
    expect(store["key"] = "second").to eq("second")
    expect(store["key"]).to eq("second")
    expect(store.size).to eq(1)
  end

  it "takes a hash as value with and without braces around it" do
    store.set("key", { a: 1 })
    expect(store["key"]).to eq(a: 1)
    expect { store.set("key", a: 1) }.to raise_error(ArgumentError)
  end

  describe "with if_none_match:" do
    it "writes only over another tag, or where there is none" do
      tag = store.set("key", "old", if_none_match: "v1")
      expect { store.set("key", "new", if_none_match: tag) }
        .to raise_error(Ccache::PreconditionFailed, "the entry of \"key\" is at etag #{tag}")
      store.set("key", "new", if_none_match: "v1")
      expect(store["key"]).to eq("new")
    end

    it "writes only where there is nothing for an asterisk" do
      store.set("key", "first", if_none_match: "*")
      expect { store.set("key", "second", if_none_match: "*") }
        .to raise_error(Ccache::PreconditionFailed, 'the entry of "key" is not absent')
      expect(store["key"]).to eq("first")
    end

    it "takes no if_match beside it, and nothing but a tag", :mistyped do
      expect { store.set("key", 1, if_none_match: "v1", if_match: "v2") }
        .to raise_error(Ccache::InvalidOption, /if_none_match: takes nil beside if_match:, got "v1"/)
      expect { store.set("key", 1, if_none_match: 7) }.to raise_error(Ccache::InvalidEtag, /got 7/)
    end
  end

  describe "of numbers" do
    it "adds and subtracts, from 0 where there is none" do
      expect([store.increment("key"), store.increment("key", 9), store.decrement("key", 3)]).to eq([1, 10, 7])
      expect(store["key"]).to eq(7)
    end

    it "adds atomically" do
      count = Scale.of(500, small: 20)
      join(Array.new(8) { Thread.new { count.times { store.increment("key") } } })
      expect(store["key"]).to eq(8 * count)
    end

    it "gives a new number a time to live, and leaves an old one its own" do
      store.increment("key", expires_in: 60)
      store.increment("key", expires_in: 1)
      expect(store.entry("key").expires_at).to be_within(30).of(Time.now + 60)
    end

    it "adds to nothing but an Integer", :mistyped do
      store["key"] = "1"
      expect { store.increment("key") }.to raise_error(Ccache::InvalidValue, /cannot add to this String/)
      expect { store.increment("key", "1") }.to raise_error(Ccache::InvalidOption, /amount: takes an Integer, got "1"/)
      expect(store["key"]).to eq("1")
    end
  end

  describe "with if_match:" do
    it "writes while the tag holds" do
      tag = store.set("key", "old")
      expect(store.set("key", "new", if_match: tag)).to eq(store.etag("key"))
      expect(store["key"]).to eq("new")
    end

    it "raises and changes nothing when the tag does not hold" do
      tag = store.set("key", "old")
      expect { store.set("key", "new", if_match: "other") }
        .to raise_error(Ccache::PreconditionFailed, /"key" is not at etag other/)
      expect { store.set("none", "new", if_match: tag) }.to raise_error(Ccache::PreconditionFailed)
      expect([store["key"], store.etag("key"), store.key?("none")]).to eq(["old", tag, false])
    end

    it "writes with nil only where there is no entry" do
      store.set("key", "first", if_match: nil)
      expect { store.set("key", "second", if_match: nil) }.to raise_error(Ccache::PreconditionFailed, /not absent/)
      expect(store["key"]).to eq("first")
    end

    it "lets exactly one of many threads win" do
      tag = store.set("key", 0)
      winners = Array.new(8) do |number|
        Thread.new do
          store.set("key", number, if_match: tag) && number
        rescue Ccache::PreconditionFailed
          nil
        end
      end
      expect(join(winners).compact).to eq([store["key"]])
    end
  end

  describe "deleting" do
    it "says whether there was an entry" do
      store["key"] = 1
      expect([store.delete("key"), store.delete("key"), store["key"]]).to eq([true, false, nil])
    end

    it "deletes under a condition or raises and keeps the entry" do
      tag = store.set("key", 1)
      expect { store.delete("key", if_match: "other") }.to raise_error(Ccache::PreconditionFailed)
      expect(store.key?("key")).to be(true)
      expect(store.delete("key", if_match: tag)).to be(true)
      expect(store.delete("key", if_match: nil)).to be(false)
    end

    it "clears everything and says how much" do
      10.times { |number| store["key#{number}"] = Object.new }
      expect([store.clear, store.size, store.pin_list.size, store.clear]).to eq([10, 0, 0, 0])
    end
  end

  describe "update" do
    before { store["list"] = ["a"].freeze }

    it "yields a mutable deep copy and writes it back" do
      tag = store.update("list") { |draft| draft << "b" }
      expect(store["list"]).to eq(%w[a b])
      expect(tag).to eq(store.etag("list"))
    end

    it "writes what the block returns for a value that cannot be changed in place" do
      store["count"] = 1
      store.update("count") { |count| count + 1 }
      expect(store["count"]).to eq(2)
    end

    it "returns nil and runs no block where there is no entry" do
      expect(store.update("none") { raise "run" }).to be_nil
    end

    it "does it again when somebody was faster, and loses no update" do
      store["count"] = 0
      each = Scale.of(50, small: 10)
      threads = Array.new(4) do
        Thread.new { each.times { store.update("count", retries: 1000) { |count| Thread.pass || (count + 1) } } }
      end
      join(threads)
      expect(store["count"]).to eq(4 * each)
    end

    it "gives up after the stated number of retries and keeps the others' value" do
      runs = 0
      update = lambda do
        store.update("list", retries: 2) do |draft|
          runs += 1
          store["list"] = ["theirs #{runs}"]
          draft << "mine"
        end
      end
      expect(&update).to raise_error(Ccache::PreconditionFailed)
      expect([runs, store["list"]]).to eq([3, ["theirs 3"]])
    end

    it "changes nothing when the block raises" do
      expect { store.update("list") { |draft| draft << "b" and raise IOError } }.to raise_error(IOError)
      expect(store["list"]).to eq(["a"])
    end

    it "keeps the time that the entry had to live, or sets a new one" do
      store.set("timed", [1], expires_in: 60)
      store.update("timed") { |draft| draft << 2 }
      expect(store.entry("timed").expires_at).to be_within(30).of(Time.now + 60)
      store.update("timed", expires_in: nil) { |draft| draft << 3 }
      expect(store.entry("timed").expires_at).to be_nil
    end

    it "refuses a value that cannot be copied and names its class" do
      store["proc"] = proc {}
      expect { store.update("proc") { nil } }.to raise_error(Ccache::InvalidValue, /Proc/)
    end
  end
end
