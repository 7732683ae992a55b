# frozen_string_literal: true

# To see red: in ext/ccache/src/stored.rs decode what a coder encoded by Marshal.
RSpec.describe Ccache::Store, "what memory keeps encoded, with a server" do
  reversed = Object.new
  def reversed.dump(value) = Marshal.dump(value).reverse
  def reversed.load(bytes) = Marshal.load(bytes.reverse)

  # A value, and what it comes back as.
  coders = {
    json: [{ a: [1] }, { "a" => [1] }, []], message_pack: [{ a: [1] }, { "a" => [1] }, [:msgpack]],
    marshal: [{ a: [1] }, { a: [1] }, []], reversed => [{ a: [1] }, { a: [1] }, []]
  }
  coders.each do |coder, (value, back, tags)|
    name = coder.is_a?(Symbol) ? coder : "an own coder"

    it "is decoded by who encoded it, whoever reads: #{name}", *tags do
      left = Thread::Queue.new
      store = remote(coder: coder, values: :fresh, on_evict: ->(*departed) { left << departed })
      store.set("key", value)
      store.fetch("key") { raise "is there" }
      expect([store["key"], store.get("key", max_age: 60), store.entry("key").value]).to all(eq(back))
      expect(store.get_multi("key")).to eq("key" => back)
      expect(store.each.to_a).to eq([["key", back]])
      store.update("key") { |draft| draft["b"] = 2 }
      expect(store["key"]).to eq(back.merge("b" => 2))
      store.forget
      expect(Array.new(2) { left.pop }.map { |departed| departed[1] }).to eq([back, back.merge("b" => 2)])
    end

    it "answers when the server does not: #{name}", *tags do
      server = own_server
      store = remote(redis: server.url, coder: coder, values: :fresh, stale_if_error: 600)
      store.set("key", value)
      server.kill
      expect([store["key"], store.entry("key").value]).to all(eq(back))
      expect(store.get_multi("key")).to eq("key" => back)
    end

    it "is the waiters' own copy of what was loaded: #{name}", *tags do
      store = remote(coder: coder, values: :fresh)
      loading = Thread::Queue.new
      threads = Array.new(3) { Thread.new { store.fetch("key") { loading.pop && value } } }
      eventually { loading.num_waiting == 1 && threads.count(&:stop?) == 3 }
      3.times { loading << true }
      expect(join(*threads).map { |one| one.transform_keys(&:to_s) }).to all(eq({ "a" => [1] }))
    end
  end

  it "is copied by the coder, which may know values that Marshal does not" do
    coder = Object.new
    def coder.dump(maker) = maker.call.to_s
    def coder.load(text) = -> { text }
    store = remote(coder: coder, values: :shared)
    store.set("key", -> { "text" })
    copies = Array.new(2) { store.get("key", values: :fresh) }
    expect(copies.map(&:call)).to eq(%w[text text])
    expect(copies.uniq(&:object_id).size).to eq(2)
    expect(store.update("key") { |draft| draft }).to be_a(String)
  end

  describe "and cannot be decoded any more" do
    let(:coder) do
      Class.new do
        attr_accessor :error

        def dump(value) = value.to_s
        def load(text) = error && text == "bad" ? raise(error, "gone") : text.dup
      end.new
    end
    let(:events) { [] }
    let(:store) do
      on_event = ->(name, facts) { events << [name, facts[:key], facts[:error].class] }
      remote(coder: coder, values: :fresh, on_event: on_event)
    end

    [ArgumentError, NotImplementedError, LoadError, SystemStackError].each do |error|
      it "is an error of ours for get, and replaced by fetch: #{error}" do
        store.set("key", "bad")
        coder.error = error
        calls = [-> { store["key"] }, -> { store.get_multi("key") }, -> { store.entry("key") }, -> { store.each.to_a },
                 -> { store.update("key") { nil } }, -> { store.get("key", max_age: 60) }]
        calls.each { |call| expect(&call).to raise_error(Ccache::CodecError, /"key"/) }
        events.clear
        expect(store.fetch("key") { "good" }).to eq("good")
        expect(events).to eq([[:undecodable, "key", Ccache::CodecError]])
        expect([store["key"], remote(coder: coder)["key"], raw("key")]).to match(["good", "good", end_with("good")])
      end
    end

    it "is loaded anew by fetch_multi, the others are hits" do
      store.set_multi({ "a" => "good", "b" => "bad" })
      coder.error = LoadError
      expect(store.fetch_multi("a", "b") { |key| "#{key} anew" }).to eq("a" => "good", "b" => "b anew")
      expect(store.get_multi("a", "b")).to eq("a" => "good", "b" => "b anew")
    end

    it "leaves the server's error to who would have taken an old value" do
      server = own_server
      store = remote(redis: server.url, coder: coder, values: :fresh, stale_if_error: 600)
      store.set("key", "bad")
      coder.error = LoadError
      server.kill
      expect { store["key"] }.to raise_error(Ccache::ConnectionError)
    end
  end

  it "lets through what ends a thread or a process" do
    coder = Object.new
    def coder.dump(value) = value.to_s
    def coder.load(text) = text == "stop" && Thread.current[:stops] ? throw(:stopped, 1) : text
    store = remote(coder: coder, values: :fresh)
    store.set("key", "stop")
    Thread.current[:stops] = true
    expect(catch(:stopped) { store["key"] }).to eq(1)
  ensure
    Thread.current[:stops] = nil
  end
end
