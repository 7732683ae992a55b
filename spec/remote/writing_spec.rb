# frozen_string_literal: true

# Writes of a store with a server (invariants C1, C3, C4).
#
# To see red: in ext/ccache_core/src/remote/script.rs let `holds` be true always.
RSpec.describe Ccache::Store, "writing with a server" do
  let(:here) { remote }
  let(:there) { remote }

  it "tags by content: equal values have equal tags, in any process" do
    tags = [here.set("a", [1, "x"]), there.set("b", [1, "x"]), here.set("a", [1, "y"])]
    expect(tags[0]).to eq(tags[1]).and match(/\A\h{32}\z/).and be_frozen
    expect(tags[2]).not_to eq(tags[0])
  end

  it "keeps a caller's own tag" do
    expect(here.set("key", "value", etag: "v1")).to eq("v1")
    expect(there.entry("key").etag).to eq("v1")
    expect(there.get("key", if_none_match: "v1")).to equal(Ccache::NOT_MODIFIED)
    long = "é" * 512
    here.set("key", "value", etag: long)
    expect(there.etag("key").b).to eq(long.b)
    hex = "0123456789abcdef" * 2
    here.set("key", "value", etag: hex)
    expect(remote.etag("key")).to eq(hex)
  end

  it "sends one command, that expires the value, too" do
    before = Servers.shared.calls("set")
    here.set("key", "value", expires_in: 60)
    expect(Servers.shared.calls("set") - before).to eq(1)
    expect(Servers.shared.command("PTTL", "#{namespace}:key")).to be_between(50_000, 60_000)
    remote(expires_in: 30)["other"] = 1
    expect(Servers.shared.command("PTTL", "#{namespace}:other")).to be_between(20_000, 30_000)
  end

  it "answers its own next read from memory" do
    here.set("key", "value")
    here.get("key")
    expect(here.stats).to include(transfers: 0, not_modified: 1)
  end

  it "compares and sets on the server" do
    tag = here.set("key", 1.5)
    expect do
      there.set("key", 9.5, if_match: "other")
    end.to raise_error(Ccache::PreconditionFailed, /"key" is not at etag/)
    there.set("key", 2.5, if_match: tag)
    expect { here.set("key", 9.5, if_match: tag) }.to raise_error(Ccache::PreconditionFailed)
    expect { here.set("key", 9.5, if_match: nil) }.to raise_error(Ccache::PreconditionFailed, /is not absent/)
    expect(here.get("key")).to eq(2.5)
    expect { here.delete("key", if_match: tag) }.to raise_error(Ccache::PreconditionFailed)
    expect(here.delete("key", if_match: there.etag("key"))).to be(true)
    here.set("key", 3.5, if_match: nil)
    expect(there["key"]).to eq(3.5)
  end

  it "writes only if the tag is another one, or there is none at all" do
    tag = here.set("key", 1.5)
    expect { there.set("key", 2.5, if_none_match: tag) }.to raise_error(Ccache::PreconditionFailed)
    expect { there.set("key", 2.5, if_none_match: "*") }.to raise_error(Ccache::PreconditionFailed)
    there.set("key", 2.5, if_none_match: "other")
    expect(here["key"]).to eq(2.5)
    here.delete("key")
    there.set("key", 3.5, if_none_match: "*")
    expect(here["key"]).to eq(3.5)
  end

  it "compares integers, too, which the server holds as digits" do
    tag = here.set("key", 41)
    expect(raw("key")).to eq("41")
    expect(there.set("key", 42, if_match: tag)).to eq(there.etag("key"))
    expect { here.set("key", 43, if_match: tag) }.to raise_error(Ccache::PreconditionFailed)
    expect(here["key"]).to eq(42)
    expect(remote["key"]).to eq(42)
    here.set("key", 2**70)
    expect(there["key"]).to eq(2**70)
  end

  it "counts on the server" do
    expect(here.increment("key")).to eq(1)
    expect(there.increment("key", 9)).to eq(10)
    expect(here.decrement("key", 3)).to eq(7)
    expect([here["key"], there["key"]]).to eq([7, 7])
    expect(here.increment("timed", 5, expires_in: 60)).to eq(5)
    expect(Servers.shared.command("PTTL", "#{namespace}:timed")).to be_between(50_000, 60_000)
    join(Array.new(8) { Thread.new { 50.times { here.increment("key") } } })
    expect(there["key"]).to eq(407)
  end

  it "counts what the server cannot, by comparing and setting" do
    here.set("key", 1, etag: "v1")
    expect(there.increment("key")).to eq(2)
    here.set("big", (2**63) - 1)
    expect(there.increment("big")).to eq(2**63)
    here.set("text", "x")
    expect { there.increment("text") }.to raise_error(Ccache::InvalidValue, /String/)
    expect { there.increment("key", 1.5) }.to raise_error(Ccache::InvalidOption, /1\.5/)
  end

  it "changes a draft and writes it back if nobody else did" do
    here.set("key", ["a"], expires_in: 60)
    tries = 0
    there.update("key") do |draft|
      here.set("key", ["b"], expires_in: 60) if (tries += 1) == 1
      draft << "c"
    end
    expect([tries, here["key"]]).to eq([2, %w[b c]])
    expect(Servers.shared.command("PTTL", "#{namespace}:key")).to be_between(50_000, 60_000)
    expect(there.update("none") { raise }).to be_nil
  end

  it "writes many keys with one request" do
    tags = here.set_multi({ "a" => "1", b: 2 }, expires_in: 60)
    expect(tags).to eq({ "a" => there.etag("a"), b: there.etag("b") })
    expect(there.get_multi("a", "b")).to eq({ "a" => "1", "b" => 2 })
    expect(here.stats[:connections]).to eq(1)
    expect(here.set_multi({})).to eq({})
  end

  it "removes one key or many" do
    here.set_multi({ "a" => "1", "b" => "2" })
    expect([there.delete("a"), there.delete("a")]).to eq([true, false])
    expect(there.delete_multi("a", "b", "c")).to eq(1)
    expect(here.get_multi("a", "b")).to eq({})
    expect(there.delete_multi).to eq(0)
  end

  it "clears its namespace alone, in steps" do
    other = remote(namespace: "#{namespace}[*]?")
    other.set("kept", "value")
    without_stress { here.set_multi(Array.new(2500) { |number| ["key#{number}", "value"] }.to_h) }
    expect(here.clear).to eq(2500)
    expect([here.size, there["key7"], other["kept"]]).to eq([0, nil, "value"])
    expect(other.clear).to eq(1)
  end

  it "encodes all before it writes anything" do
    expect { here.set_multi({ "a" => 1.5, "b" => proc {} }) }.to raise_error(Ccache::CodecError, /cannot dump a Proc/)
    expect(there["a"]).to be_nil
  end

  it "leaves what a caller passed as it was" do
    value = { list: ["a"] }
    here.set("key", value)
    value[:list] << "b"
    expect(here["key"]).to eq({ list: ["a"] })
    here.set("moved", value, values: :frozen)
    expect(value).to be_frozen
  end

  it "stores a fetched value only where there is none" do
    value = here.fetch("key") { there.set("key", "theirs") && "mine" }
    expect([value, here["key"]]).to eq(%w[mine theirs])
  end

  it "does not store a fetched value after this process removed the key" do
    value = here.fetch("key") { here.delete("key") || "old" }
    expect([value, here["key"], there["key"]]).to eq(["old", nil, nil])
  end

  it "refuses what Ractors cannot share before the server has it" do
    shared = Ractor.make_shareable(remote(values: :shared))
    expect { shared.set("key", ["mutable"]) }.to raise_error(Ccache::NotShareable)
    expect(raw("key")).to be_nil
    here.set("key", ["theirs"])
    expect(shared["key"]).to eq(["theirs"]).and be_frozen
  end
end
