# frozen_string_literal: true

# Answers from memory, where the caller says how old they may be (invariant C5).
#
# To see red: in ext/ccache/src/remote/reads.rs let `is_fresh` ignore `max_age`; in
# lib/ccache/freshness.rb let `good_after_error?` be true always.
RSpec.describe Ccache::Store, "freshness" do
  let(:there) { remote }

  before { there.set("key", "old") }

  # Reads the key once, then lets it change.
  def primed(**options)
    remote(**options).tap do |store|
      store.get("key")
      there.set("key", "new")
    end
  end

  it "is asked for at each read by default" do
    expect(primed.get("key")).to eq("new")
  end

  it "is as old as max_age allows, per store or per call" do
    expect(primed(max_age: 60).get("key")).to eq("old")
    there.set("key", "old")
    store = primed
    expect(store.get("key", max_age: 60)).to eq("old")
    expect(store.fetch("key", max_age: 60) { raise }).to eq("old")
    expect(store.entry("key", max_age: 60).value).to eq("old")
    expect(store.get_multi("key", max_age: 60)).to eq({ "key" => "old" })
    expect(store.fetch_multi("key", max_age: 60) { raise }).to eq({ "key" => "old" })
    expect(store.get("key", if_none_match: store.entry("key", max_age: 60).etag,
                            max_age: 60)).to equal(Ccache::NOT_MODIFIED)
    expect(store.get("key")).to eq("new")
  end

  it "is over when max_age is" do
    store = primed(max_age: 0.05)
    eventually { store.get("key") == "new" }
    expect(primed(max_age: 60).get("key", max_age: 0)).to eq("new")
  end

  it "of this process' own writes and removals is perfect" do
    store = primed(max_age: 60)
    store.set("key", "mine")
    expect(store.get("key")).to eq("mine")
    store.delete("key")
    expect([store.get("key"), store.get_multi("key")]).to eq([nil, {}])
    store.increment("count")
    store.get("count")
    store.increment("count")
    expect(store.get("count")).to eq(2)
    store.clear
    expect(store.get("count")).to be_nil
  end

  it "is renewed behind the caller's back with stale_while_revalidate" do
    store = primed(stale_while_revalidate: 60)
    expect(store.get("key")).to eq("old")
    eventually { store.get("key") == "new" }
    expect(store.stats[:stale]).to be >= 1
    there.delete("key")
    eventually { store.get("key").nil? }
  end

  it "is not renewed before max_age is over" do
    store = primed(max_age: 60, stale_while_revalidate: 60)
    5.times { store.get("key") }
    expect(store.stats).to include(stale: 0, validations: 0)
  end

  it "is asked for when the time for revalidation is over, too" do
    store = primed(stale_while_revalidate: 0.02)
    sleep 0.03
    expect(store.get("key")).to eq("new")
  end

  it "may be older while the server does not answer, with stale_if_error" do
    server = own_server
    events = []
    store = remote(redis: server.url, stale_if_error: 60, on_event: lambda { |name, payload|
                                                                      events << [name, payload[:key]]
                                                                    })
    store.set("key", "value")
    store.set("other", "value")
    server.kill
    expect(store.get("key")).to eq("value")
    expect(store.fetch("key") { raise }).to eq("value")
    expect(store.get_multi("key", "other")).to eq({ "key" => "value", "other" => "value" })
    expect(store.stats[:stale]).to eq(4)
    expect(events.first).to eq([:stale, "key"])
    expect { store.get("none") }.to raise_error(Ccache::ConnectionError)
    expect { store.get("key", stale_if_error: 0) }.to raise_error(Ccache::ConnectionError)
    expect { store.set("key", "new") }.to raise_error(Ccache::ConnectionError)
    expect { store.get("key") }.to raise_error(Ccache::ConnectionError) # nobody knows what a failed write did
  end

  it "of an error ends when stale_if_error does" do
    server = own_server
    store = remote(redis: server.url, stale_if_error: 0.05)
    store.set("key", "value")
    server.kill
    expect { eventually { store.get("key").nil? } }.to raise_error(Ccache::ConnectionError)
  end

  it "means nothing without a server, where all is fresh" do
    store = described_class.new(max_age: 1, stale_while_revalidate: 1, stale_if_error: 1)
    store.set("key", "value")
    expect([store.get("key", max_age: 1), store.fetch("key", stale_if_error: 1) { raise }]).to eq(%w[value value])
  end

  it "is a number of seconds" do
    expect { remote(max_age: -1) }.to raise_error(Ccache::InvalidOption, /max_age: .* got -1/)
    expect { there.get("key", stale_if_error: "1") }.to raise_error(Ccache::InvalidOption, /stale_if_error: .* got "1"/)
  end

  it "is each key's own in a read of many" do
    there.set_multi({ "a" => "same", "b" => "same" })
    store = remote
    store.get_multi("a", "b")
    there.set("b", "new")
    sleep 0.02
    expect(store.get_multi("a", "a", "b", max_age: 0.01)).to eq({ "a" => "same", "b" => "new" })
  end

  it "of a write is not lost to an older transfer that ends after it" do
    reached, gate = Array.new(2) { Thread::Queue.new }
    slow = Object.new
    slow.define_singleton_method(:dump) { |value| Marshal.dump(value) }
    slow.define_singleton_method(:load) do |bytes|
      Marshal.load(bytes).tap { |value| reached << true and gate.pop if value == "slow" }
    end
    gate << true # for the writer's own look at its value
    remote(coder: slow).set("key", "slow")
    reached.clear
    store = remote(coder: slow, max_age: 60)
    reader = Thread.new { store.get("key") }
    reached.pop
    store.set("key", "mine")
    gate << true
    expect(join(reader)).to eq(["slow"])
    expect(store.get("key")).to eq("mine")
  end

  it "that was just asked for is not asked for again behind the caller's back" do
    store = remote(stale_while_revalidate: 0.001)
    store.get("key")
    sleep 0.01
    store.get("key")
    expect(store.stats).to include(stale: 0, validations: 1)
  end
end
