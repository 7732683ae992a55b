# frozen_string_literal: true

require "socket"

# One loader per key for all processes: `fetch(…, lock: seconds)`.
#
# To see red: in lib/ccache/store/remote/leasing.rb store with the condition
# `:always`, or do not wait for another's lease.
RSpec.describe Ccache::Store, "leases on the server" do
  let(:here) { remote }
  let(:there) { remote }

  # A fetch in a thread that has begun to load.
  def loading(store, **options, &block)
    begun = Thread::Queue.new
    finish = Thread::Queue.new
    thread = Thread.new do
      store.fetch("key", **options) do
        begun << true
        finish.pop
        block ? block.call : "loaded"
      end
    end
    thread.report_on_exception = false
    begun.pop
    [thread, finish]
  end

  it "let one process load, and the others wait for its value" do
    first, finish = loading(here, lock: 30)
    second = Thread.new { there.fetch("key", lock: 30) { raise "loaded twice" } }
    until_asleep(second)
    finish << true
    expect(join(first, second)).to eq(%w[loaded loaded])
    expect(there.stats[:loads]).to eq(0)
  end

  it "let one of many processes load" do
    program = <<~RUBY
      store = Ccache::Store.new(redis: { url: ARGV[0], read_timeout: 20 }, namespace: ARGV[1])
      $stdin.gets
      print store.fetch("key", lock: 30) { sleep 0.05; store.increment("loads"); "loaded" }
    RUBY
    command = [RbConfig.ruby, "-I", Processes::LIBRARY, "-r", "ccache", "-e", program, Servers.shared.url, namespace]
    pipes = Array.new(Scale.of(6, small: 2)) { IO.popen(command, "r+") }
    pipes.each(&:puts)
    expect(pipes.map(&:read)).to all(eq("loaded"))
    expect(here["loads"]).to eq(1)
  ensure
    pipes.each(&:close)
  end

  it "look like nothing to readers, and to writers that want to be first" do
    first, finish = loading(here, lock: 30)
    expect([there["key"], there.key?("key"), there.etag("key"), there.entry("key")]).to eq([nil, false, nil, nil])
    there.set("key", "set", if_match: nil)
    finish << true
    expect(join(first)).to eq(["loaded"])
    expect([here["key"], there["key"]]).to eq(%w[set set])
  end

  it "are void after a set or a delete: a late loader puts nothing old back" do
    { delete: -> { there.delete("key") }, set: -> { there.set("key", "new") }, clear: -> { there.clear },
      increment: -> { there.set("key", 7) } }.each do |name, change|
      there.delete("key")
      thread, finish = loading(here, lock: 30)
      change.call
      expected = there["key"]
      finish << true
      expect(join(thread)).to eq(["loaded"]), name.to_s
      expect([here["key"], there["key"]]).to eq([expected, expected]), name.to_s
    end
  end

  it "run out, and another process takes over" do
    thread, finish = loading(here, lock: 0.05)
    expect(there.fetch("key", lock: 30) { "taken over" }).to eq("taken over")
    finish << true
    expect(join(thread)).to eq(["loaded"])
    expect(there["key"]).to eq("taken over")
  end

  it "are given back when the loader fails" do
    expect { here.fetch("key", lock: 30) { raise IOError } }.to raise_error(IOError)
    expect(catch(:out) { here.fetch("key", lock: 30) { throw :out, 1 } }).to eq(1)
    thread, = loading(here, lock: 30)
    thread.kill
    expect(there.fetch("key", lock: 30) { "loaded" }).to eq("loaded")
  end

  it "are given back when nil is not to be stored" do
    expect(here.fetch("key", lock: 30, skip_nil: true) { nil }).to be_nil
    expect(there.fetch("key", lock: 30) { nil }).to be_nil
    expect(here.key?("key")).to be(true)
  end

  it "are no lock for who does not ask for one" do
    thread, finish = loading(here, lock: 30)
    expect(there.fetch("key") { "mine" }).to eq("mine")
    finish << true
    expect(join(thread)).to eq(["loaded"])
    expect(there["key"]).to eq("loaded")
  end

  it "need no server within one process" do
    expect(described_class.new.fetch("key", lock: 1) { "loaded" }).to eq("loaded")
    expect { here.fetch("key", lock: "1") { 1 } }.to raise_error(Ccache::InvalidOption, /lock: .* got "1"/)
  end

  it "are nothing that delete would remove" do
    thread, finish = loading(here, lock: 30)
    expect([there.delete("key"), there.delete_multi("key")]).to eq([false, 0])
    finish << true
    join(thread)
    thread, finish = loading(here, lock: 30) if here.delete("key")
    expect { there.delete("key", if_match: "v1") }.to raise_error(Ccache::PreconditionFailed)
    expect(there.delete("key", if_match: nil)).to be(false)
    finish << true
    join(thread)
  end

  it "do not keep a loaded value, or an error, from the caller when the server dies" do
    server = own_server
    store = remote(redis: server.url)
    expect(store.fetch("key", lock: 30) { server.kill || "loaded" }).to eq("loaded")
    server.start
    eventually do
      store.get("key")
      true
    rescue Ccache::Error
      false
    end
    expect { store.fetch("key", lock: 30) { server.kill || raise(IOError, "mine") } }.to raise_error(IOError, "mine")
  end

  # A proxy that asks the block what to do with the answer to a script: it goes back to the
  # client if that returns true; else the connection is closed.
  def proxy(server, &decide)
    proxy = TCPServer.new("127.0.0.1", 0)
    proxies << proxy
    Thread.new do
      loop { serve(proxy.accept, TCPSocket.new("127.0.0.1", server.port), &decide) }
    rescue IOError
      nil # the example has ended
    end
    "redis://127.0.0.1:#{proxy.addr[1]}"
  end

  def serve(client, upstream)
    Thread.new do
      while (request = client.readpartial(65_536))
        upstream.write(request)
        answer = upstream.readpartial(65_536)
        break if request.include?("EVAL") && answer == ":1\r\n" && !yield

        client.write(answer)
      end
    rescue SystemCallError, IOError
      nil
    ensure
      [client, upstream].each(&:close)
    end
  end

  let(:proxies) { [] }

  after { proxies.each(&:close) }

  def fetch_in_a_thread(store, key)
    thread = Thread.new { store.fetch(key, lock: 600) { "loaded" } }
    thread.report_on_exception = false
    thread
  end

  it "are given back when the caller is interrupted while one is taken" do
    taken, go = Array.new(2) { Thread::Queue.new }
    first = true
    url = proxy(Servers.shared) { first ? (first = false) || (taken << true and go.pop) : true }
    %i[kill raise].each do |interrupt|
      first = true
      thread = fetch_in_a_thread(remote(redis: { url: url, **RemoteStores::PATIENCE }), "key")
      taken.pop
      interrupt == :kill ? thread.kill : thread.raise(IOError)
      eventually { !thread.alive? }
      expect(join(fetch_in_a_thread(there, "key"))).to eq(["loaded"])
      go << true
      there.delete("key")
    end
  end

  it "are given back when the connection is lost before it is known whether one was taken" do
    cuts = [true]
    store = remote(redis: { url: proxy(Servers.shared) { !cuts.shift }, **RemoteStores::PATIENCE })
    expect { store.fetch("key", lock: 600) { raise "never" } }.to raise_error(Ccache::ConnectionError)
    expect(join(fetch_in_a_thread(there, "key"))).to eq(["loaded"])
  end

  it "are given back when the server has stopped, once it goes on, and the caller does not wait for that" do
    server = own_server
    thread, = loading(remote(redis: { url: server.url, **RemoteStores::PATIENCE }), lock: 600)
    server.pause
    thread.kill
    eventually { !thread.alive? }
    server.resume
    other = remote(redis: { url: server.url, **RemoteStores::PATIENCE })
    expect(join(fetch_in_a_thread(other, "key"))).to eq(["loaded"])
  end

  it "are given back wherever an interrupt finds the caller" do
    random = Random.new(3)
    loads = Scale.of(60, small: 5).times.map do |number|
      key = "key#{number}"
      thread = fetch_in_a_thread(here, key)
      sleep(random.rand * 0.004)
      thread.kill.join(30)
      [key, fetch_in_a_thread(there, key)]
    end
    expect(join(loads.map(&:last))).to all(eq("loaded"))
    expect(Ccache::Testing.leases(here)).to eq(0)
  end
end
