# frozen_string_literal: true

# Loads whose value the server does not take: for their callers, and for all who wait.
#
# To see red: in lib/ccache/store/remote/leasing.rb let `put_loaded` answer `[false, nil]`.
RSpec.describe Ccache::Store, "loads that the server does not take" do
  let(:server) { own_server }
  let(:options) { {} }
  let(:store) { remote(redis: server.url, **options) }

  # Six callers of one load, of which five wait for the first one: what each got, and the most
  # blocks that ran at once.
  def six(**settings, &block)
    running, go = Array.new(2) { Thread::Queue.new }
    callers = Array.new(6) { Thread.new { fetch_in_step(running, go, settings, &block) } }
    until_coalesced(store, 5)
    go << true
    eventually { running.size == 6 }
    5.times { go << true }
    join(callers)
  end

  # `running` counts blocks, of which each waits for `go`.
  def fetch_in_step(running, go, settings)
    store.fetch("key", **settings) do
      running << true
      go.pop
      yield
    end
  rescue IOError
    :raised
  end

  it "are run by all who waited, side by side, where the load raises, also with a lease" do
    expect(six(lock: 30) { raise IOError }).to eq([:raised] * 6)
    expect(six { raise IOError }).to eq([:raised] * 6)
  end

  it "are run by those who cannot decode what another one loaded" do
    unloadable = Class.new { def marshal_load(*) = raise("not here") and def marshal_dump = 1 }
    stub_const("Unloadable", unloadable)
    expect(six { unloadable.new }).to all(be_a(unloadable))
  end

  it "are their callers' where the server takes no lease" do
    store.get("key")
    full
    expect(store.fetch("key", lock: 30) { "loaded" }).to eq("loaded")
    read_only
    expect(store.fetch("key", lock: 30) { "loaded again" }).to eq("loaded again")
    expect(store.stats[:write_failures]).to be >= 2
  end

  # A load and five that wait for it; `break_server` is called when all of them do.
  def load_and_wait(value, **settings, &break_server)
    begun, go = Array.new(2) { Thread::Queue.new }
    first = Thread.new { store.fetch("key", **settings) { begun << true and go.pop and value } }
    begun.pop
    others = Array.new(5) { Thread.new { store.fetch("key", **settings) { raise "loaded twice" } } }
    until_coalesced(store, 5)
    break_server.call
    go << true
    join(first, others)
  end

  def read_only
    server.command("REPLICAOF", "127.0.0.1", "1")
  end

  def full
    server.command("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
  end

  it "share the value when the server is down, read-only or full" do
    { kill: -> { server.kill }, read_only: -> { read_only }, full: -> { full } }.each do |name, break_server|
      [{}, { lock: 30 }].each do |settings|
        expect(load_and_wait("loaded", **settings, &break_server)).to eq(["loaded"] * 6), "#{name} #{settings}"
        server.restart
        eventually { store.get("key").nil? rescue false } # rubocop:disable Style/RescueModifier
      end
    end
  end

  it "give each caller an object of its own where values are fresh" do
    given = load_and_wait(["loaded"], values: :fresh) { server.kill }
    expect(given).to eq([["loaded"]] * 6)
    expect(given.uniq(&:object_id).size).to eq(6)
    expect(given.map(&:frozen?)).to eq([false] * 6)
  end

  it "give all the very object where values are shared" do
    given = load_and_wait(["loaded"], values: :shared) { server.kill }
    expect(given.uniq(&:object_id).size).to eq(1)
  end

  it "share no value when the key was removed or written here meanwhile" do
    [-> { store.delete("key") }, -> { store.clear }, -> { store.set("key", "new") }].each do |change|
      begun, go = Array.new(2) { Thread::Queue.new }
      first = Thread.new { store.fetch("key") { begun << true and go.pop and "old" } }
      begun.pop
      second = Thread.new { store.fetch("key") { "mine" } }
      until_coalesced(store, 1)
      change.call
      read_only
      go << true
      expect(join(first)).to eq(["old"])
      expect(join(second).first).to eq("mine").or eq("new")
      server.command("REPLICAOF", "NO", "ONE")
      eventually { store.clear rescue false } # rubocop:disable Style/RescueModifier
    end
  end

  it "share a nil that is not to be stored, with a lease and without" do
    [{}, { lock: 30 }].each do |settings|
      expect(load_and_wait(nil, skip_nil: true, **settings) { nil }).to eq([nil] * 6)
      expect(store.key?("key")).to be(false)
    end
  end

  it "run side by side for values that cannot be dumped" do
    begun, go, inside, all_in = Array.new(4) { Thread::Queue.new }
    first = Thread.new { store.fetch("key") { begun << true and go.pop and proc { 1 } } }
    first.report_on_exception = false
    begun.pop
    others = Array.new(5) { Thread.new { store.fetch("key") { inside << true and all_in.pop and 2 } } }
    until_coalesced(store, 5)
    go << true
    expect { join(first) }.to raise_error(Ccache::CodecError, /cannot dump a Proc/)
    eventually { inside.size == 5 }
    5.times { all_in << true }
    expect(join(others)).to eq([2] * 5)
  end

  # The transfers of a value that nobody can decode.
  it "let nobody who waits for a transfer queue for the next one" do
    inside, all_in = Array.new(2) { Thread::Queue.new }
    coder = Class.new do
      define_method(:dump) { |value| value.to_s }
      define_method(:load) { |_| inside << true and all_in.pop and raise IOError }
    end.new
    remote(redis: server.url, coder: coder, values: :fresh).send(:_push, "key", "text", nil, nil, :absent, nil)
    reader = remote(redis: server.url, coder: coder)
    readers = Array.new(5) { Thread.new { reader.get("key") rescue $!.class } } # rubocop:disable Style
    inside.pop
    until_coalesced(reader, 4, transfers: true)
    all_in << true
    eventually { inside.size == 4 }
    4.times { all_in << true }
    expect(join(readers)).to eq([Ccache::CodecError] * 5)
  end

  context "with values above max_value_bytes" do
    let(:events) { [] }
    let(:options) { { max_value_bytes: 1000, on_event: ->(name, payload) { events << [name, payload] } } }
    let(:large) { "x" * 5000 }

    it "give what was loaded to its caller and to those who wait" do
      expect(load_and_wait(large) { nil }).to eq([large] * 6)
      expect(load_and_wait(large, lock: 30) { nil }).to eq([large] * 6)
      expect(store.fetch_multi("key", "other") { |key| key == "key" ? large : "small" })
        .to eq("key" => large, "other" => "small")
      expect(store.get("other")).to eq("small")
      expect(store.key?("key")).to be(false)
      expect(store.stats[:refusals]).to eq(3)
      expect(events.map(&:first).uniq).to eq([:refused])
      expect(events.last.last).to include(key: "key", bytes: be > 5000, max_value_bytes: 1000)
    end

    it "raise in set, which changes nothing" do
      store.set("key", "old")
      expect { store.set("key", large) }.to raise_error(Ccache::ValueTooLarge, /has 50\d\d bytes.*\(key "key"\)/)
      expect { store["key"] = large }.to raise_error(Ccache::CodecError)
      expect(store.get("key")).to eq("old")
      expect(store.stats[:refusals]).to eq(2)
    end

    it "are left out by set_multi, which writes the others and keeps nothing older" do
      store.set_multi({ "large" => "old", "larger" => "old" })
      etags = store.set_multi({ "a" => 1, "large" => large, "larger" => large * 2, "b" => "two" })
      expect(etags.keys).to eq(%w[a b])
      expect(store.get_multi("a", "b", "large", "larger")).to eq("a" => 1, "b" => "two")
      expect(%w[large larger].map { |key| remote(redis: server.url).key?(key) }).to eq([false, false])
    end
  end
end
