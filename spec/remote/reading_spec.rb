# frozen_string_literal: true

# Reads of a store with a server (invariants C2, C3, P3).
#
# To see red: in ext/ccache/src/remote/reads.rs let `is_fresh` be true always
# (staleness), or let `judge` take another tag for the entry's.
RSpec.describe Ccache::Store, "reading with a server" do
  let(:here) { remote }
  let(:there) { remote }

  it "gives the same live object as long as its tag holds" do
    there.set("key", { a: [1, 2] })
    first = here.get("key")
    expect(first).to eq({ a: [1, 2] }).and be_frozen
    expect(here["key"]).to equal(first)
    expect(here.get("key", if_none_match: there.etag("key"))).to equal(Ccache::NOT_MODIFIED)
    expect(here.stats).to include(transfers: 1, not_modified: 2, hits: 2, misses: 0)
  end

  it "asks with one small request and brings no value when nothing changed" do
    here.set("key", "x" * 100_000)
    before = { getrange: Servers.shared.calls("getrange"), pttl: Servers.shared.calls("pttl") }
    10.times { here.get("key") }
    expect(Servers.shared.calls("getrange") - before[:getrange]).to eq(10)
    expect(Servers.shared.calls("pttl") - before[:pttl]).to eq(0)
  end

  it "sees another process' write, overwrite and removal at once" do
    here.set("key", 1.5)
    there.set("key", 2.5)
    expect(here.get("key")).to eq(2.5)
    there.delete("key")
    expect([here.get("key"), here.key?("key"), here.etag("key"), here.entry("key")]).to eq([nil, false, nil, nil])
    expect(here.size).to eq(0)
    there.set("key", nil)
    expect([here.get("key"), here.key?("key")]).to eq([nil, true])
  end

  it "sees what expired on the server" do
    there.set("key", "value")
    expect(here.get("key")).to eq("value")
    there.set("key", "value", expires_in: 0.001)
    eventually { here.get("key").nil? }
    expect(here.key?("key")).to be(false)
  end

  it "knows when an entry expires that another process wrote" do
    there.set("key", "value", expires_in: 60)
    here.get("key")
    expect(here.entry("key").expires_at).to be_within(30).of(Time.now + 60)
  end

  it "counts an entry's age from its last validation, as HTTP does" do
    here.set("key", "value")
    sleep 0.01
    asked = now
    expect(here.entry("key").age).to be <= now - asked
    expect(here.entry("key", max_age: 60).age).to be > 0
  end

  it "gives the tag of an entry without its value, whoever holds that" do
    tags = { "content" => there.set("content", "x" * 100_000), "given" => there.set("given", "x" * 100_000, etag: "v1"),
             "long" => there.set("long", "value", etag: "t" * 1024), "number" => there.set("number", 42) }
    calls = Servers.shared.calls("pttl")
    tags.each { |key, tag| expect([here.etag(key), there.etag(key)]).to eq([tag, tag]) }
    expect(Servers.shared.calls("pttl")).to eq(calls)
    expect(here.size).to eq(0)
    expect(here.key?("given")).to be(true)
  end

  it "asks once for a content's tag, and for a given one's text once more" do
    there.set("content", "x" * 5000)
    there.set("given", "value", etag: "v1")
    %w[content given].zip([1, 2]) do |key, questions|
      calls = Servers.shared.calls("getrange")
      here.etag(key)
      expect(Servers.shared.calls("getrange") - calls).to eq(questions)
    end
  end

  it "has no tag for a lease, for nothing, or for what is not its own" do
    there.set("cut", "x" * 5000, etag: "v1")
    put_raw("cut", raw("cut")[0, 31])
    put_raw("foreign", "something of another program, longer than a header")
    Servers.shared.command("LPUSH", "#{namespace}:list", "1")
    there.fetch("leased", lock: 60) do
      expect(%w[leased cut foreign list none].map { |key| here.etag(key) }).to all(be_nil)
    end
  end

  it "reads many keys with one request for those in memory and one for the others" do
    there.set_multi({ "a" => "1", "b" => "2", "c" => "3" })
    here.get("a")
    here.get("b")
    there.set("b", "two")
    before = Servers.shared.calls("pttl")
    expect(here.get_multi("a", :b, "c", "none")).to eq({ "a" => "1", b: "two", "c" => "3" })
    expect(Servers.shared.calls("pttl") - before).to eq(3)
    expect(here.get_multi("a", :b, "c")).to eq({ "a" => "1", b: "two", "c" => "3" })
    expect(Servers.shared.calls("pttl") - before).to eq(3)
    expect(here.get_multi).to eq({})
  end

  it "loads many keys that are missing, one by one" do
    there.set("a", "1")
    loaded = []
    expect(here.fetch_multi("a", "b", "c") { |key| loaded << key and "#{key}!" })
      .to eq({ "a" => "1", "b" => "b!", "c" => "c!" })
    expect(loaded).to eq(%w[b c])
    expect(there.get_multi("b", "c")).to eq({ "b" => "b!", "c" => "c!" })
  end

  it "decodes a value once for all threads that wait for it" do
    there.set("key", Array.new(1000) { |number| "string #{number}" })
    values = join(Array.new(16) { Thread.new { here.get("key") } })
    expect(values.uniq(&:object_id).size).to eq(1)
    expect(here.stats[:transfers]).to eq(1)
  end

  it "shares plain data frozen, and gives everybody a copy of anything else" do
    there.set("plain", { "a" => "b" })
    there.set("other", Ccache::SpecThing.new("mutable"))
    expect(here["plain"]).to be_frozen.and equal(here["plain"])
    expect(here["other"]).to eq(Ccache::SpecThing.new("mutable"))
    expect(here["other"]).not_to equal(here["other"])
  end

  it "gives private copies on demand" do
    here.set("key", ["a"])
    copy = here.get("key", values: :fresh)
    copy << "b"
    expect(here.get("key")).to eq(["a"])
    expect(here.fetch("key", values: :fresh) { raise }).not_to be_frozen
  end

  it "names this process' copies by size, keys and each" do
    there.set("there", 1.5)
    here.set("here", 2.5)
    expect([here.size, here.keys, here.each.to_a]).to eq([1, ["here"], [["here", 2.5]]])
  end

  it "keeps a copy of a value that survives collections and compactions" do
    there.set("key", Array.new(200) { |number| "string #{number}" })
    here.get("key")
    Garbage.stressing { 5.times { here.get("key") } }
    GC.compact
    expect(here.get("key").last).to eq("string 199")
  end

  # One request for all keys, each once, whoever asks: see the lane's tests in Rust.
  it "answers many threads with fewer questions than reads" do
    here.set("key", "value")
    before = Servers.shared.calls("getrange")
    reads = Scale.of(200, small: 20)
    join(Array.new(16) { Thread.new { reads.times { here.get("key") } } })
    expect(Servers.shared.calls("getrange") - before).to be < 16 * reads
  end
end
