# frozen_string_literal: true

require_relative "../support/hostile_server"
require_relative "../support/resident_memory"

# A server that answers anything at all: each answer is checked for what it has to be, in
# its type, its length, its depth and its time.
#
# To see red: in ext/ccache_core/src/remote/reply.rs let `admits` be true, or leave out the
# comparison of a length with `limits.bytes`; in connection.rs set `since` anew whenever a
# byte came.
RSpec.describe Ccache::Store, "a server that answers wrongly" do
  let(:timeouts) { { connect_timeout: 20, read_timeout: 1, write_timeout: 1 } }

  # So much may a client's memory grow.
  def bound
    16 << 20
  end

  # What reads or writes values.
  def operations
    {
      "get" => ->(store) { store.get("key") },
      "[]" => ->(store) { store["key"] },
      "get_multi" => ->(store) { store.get_multi("key", "other") },
      "set" => ->(store) { store.set("key", "value") },
      "set_multi" => ->(store) { store.set_multi({ "key" => "value", "other" => 1 }) },
      "set if_match:" => ->(store) { store.set("key", "value", if_match: "etag") },
      "set if_none_match:" => ->(store) { store.set("key", "value", if_none_match: "*") }
    }
  end

  # What removes, names, loads or counts.
  def others
    {
      "delete" => ->(store) { store.delete("key") },
      "delete_multi" => ->(store) { store.delete_multi("key", "other") },
      "delete if_match:" => ->(store) { store.delete("key", if_match: "etag") },
      "etag" => ->(store) { store.etag("key") },
      "key?" => ->(store) { store.key?("key") },
      "entry" => ->(store) { store.entry("key") },
      "fetch" => ->(store) { store.fetch("key") { "loaded" } },
      "fetch lock:" => ->(store) { store.fetch("key", lock: 1) { "loaded" } },
      "fetch_multi" => ->(store) { store.fetch_multi("key", "other") { "loaded" } },
      "update" => ->(store) { store.update("key") { "new" } },
      "increment" => ->(store) { store.increment("key") },
      "increment expires_in:" => ->(store) { store.increment("key", 1, expires_in: 60) },
      "clear" => :clear.to_proc,
      "delete_matched" => ->(store) { store.delete_matched("k*") }
    }
  end

  # What an operation comes to: its value, or the error of ours that it raises.
  def outcome(operation, store)
    operation.call(store)
  rescue Ccache::Error => e
    e
  end

  def wrong?(came)
    came.is_a?(Ccache::ConnectionError) || came.is_a?(Ccache::TimeoutError)
  end

  HostileServer::ANSWERS.each do |kind, answer|
    it "is refused when it sends #{kind}, by each operation, in time and without memory", :aggregate_failures do
      server = HostileServer.new(answer)
      before = ResidentMemory.bytes
      most = 0
      operations.merge(others).each do |name, operation|
        # A store of its own, since after a failure nothing is asked for a while.
        store = remote(redis: { url: server.url, **timeouts }, max_value_bytes: 1000)
        began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        came = outcome(operation, store)
        most = [most, ResidentMemory.bytes - before].max
        expect(Process.clock_gettime(Process::CLOCK_MONOTONIC) - began).to be < 20, name
        expect(wrong?(came) || (came == -4711 && name == "increment")).to be(true), "#{name}: #{came.inspect}"
        store.close
      end
      expect(most).to be < bound
    ensure
      server.stop
    end
  end

  it "is refused with the command and what it was to answer" do
    server = HostileServer.new("*1\r\n:1\r\n")
    store = remote(redis: { url: server.url, **timeouts })
    expect { store.get("key") }
      .to raise_error(Ccache::ConnectionError, /unexpected reply to GETRANGE: an array of 1, not a string of at most/)
  ensure
    server.stop
  end

  it "does not have its foreign strings brought, however long they are" do
    store = remote(max_value_bytes: 1000)
    put_raw("key", "x" * (64 << 20))
    before = ResidentMemory.bytes
    expect(store.get("key")).to be_nil
    expect(store.fetch("key") { "mine" }).to eq("mine")
    expect(ResidentMemory.bytes - before).to be < bound
    expect(store.stats[:foreign]).to be_positive
  end

  it "says of a value of ours that is too long how long it is" do
    remote.set("key", "x" * 100_000)
    expect { remote(max_value_bytes: 1000).get("key") }
      .to raise_error(Ccache::CodecError, /has 100\d\d\d bytes, max_value_bytes is 1000/)
  end

  it "ends nothing but the reader when it nests replies, on whatever is left of a stack" do
    server = HostileServer.new("#{"*1\r\n" * 99}:1\r\n")
    store = remote(redis: { url: server.url, **timeouts })
    deep = lambda do |levels|
      levels.zero? ? store.get("key") : [levels].each { deep.call(levels - 1) }
    end
    [[:new, Thread], [:new, Fiber]].each do |_, kind|
      outcomes = (100..3000).step(100).map do |levels|
        run = lambda do
          deep.call(levels)
        rescue Ccache::Error, SystemStackError => e
          e.class
        end
        kind == Thread ? Thread.new(&run).value : Fiber.new(&run).resume
      end
      expect(outcomes - [Ccache::ConnectionError, SystemStackError]).to be_empty
    end
    expect { store.get("key") }.to raise_error(Ccache::ConnectionError)
  ensure
    server.stop
  end
end
