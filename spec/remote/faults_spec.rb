# frozen_string_literal: true

# A server that is gone, hangs, or comes back (invariant C4).
#
# To see red: in ext/ccache_core/src/remote/links.rs leave out `may_connect`, or
# do not rewind the exchange after a lost connection.
RSpec.describe Ccache::Store, "a server in trouble" do
  let!(:server) { own_server }
  # For what is to run out of time; everything else may take long on a busy machine.
  let(:impatience) { { read_timeout: 1, connect_timeout: 1, write_timeout: 1 } }
  let(:store) { remote(redis: server.url) }

  def works
    yield
    true
  rescue Ccache::Error
    false
  end

  def failure_of
    yield
  rescue Ccache::ConnectionError => e
    e.message
  end

  it "is connected to at the first use, not before" do
    quiet = remote(redis: "redis://127.0.0.1:1")
    expect(quiet.size).to eq(0)
    expect do
      quiet.get("key")
    end.to raise_error(Ccache::ConnectionError, %r{redis://127\.0\.0\.1:1/0: .*refused.*"key"}) { |error|
             expect(error).to have_attributes(server: "redis://127.0.0.1:1/0", key: "key",
                                              retriable?: true)
             expect(error).to be_a(Ccache::Error).and be_a(StandardError)
           }
  end

  it "is read again over a new connection when the old one was cut" do
    store.set("key", "value")
    store.get("key")
    10.times do
      server.command("CLIENT", "KILL", "TYPE", "normal")
      expect(store.get("key")).to eq("value")
      expect(store.get_multi("key", "other")).to eq({ "key" => "value" })
    end
  end

  it "forgets what memory held when it comes back empty" do
    store.set("key", "value")
    server.restart
    expect([store.get("key"), store.size]).to eq([nil, 0])
    eventually { works { store.set("key", "again") } }
    expect(store.get("key")).to eq("again")
  end

  it "fails at once after a failure, and is tried again later" do
    store.set("key", "value")
    server.kill
    expect { store.get("key") }.to raise_error(Ccache::ConnectionError, /refused/)
    messages = Array.new(100) { failure_of { store.get("key") } }
    expect(messages.grep(/refused.*not tried again for \d+ ms/).size).to be > Scale.of(50, small: 0)
    server.start
    eventually { works { store.get("key") } }
    store.set("key", "value")
    expect(store.get("key")).to eq("value")
  end

  it "is told of removals even while it is given time: others may be faster to find it again" do
    other = remote(redis: server.url)
    server.kill
    # For long enough to start the server.
    eventually { failure_of { store.get("key") }.to_s[/not tried again for (\d+) ms/, 1].to_i > 1000 }
    server.start
    other.set("key", "value")
    expect(store.delete("key")).to be(true)
    expect(other.get("key")).to be_nil
  end

  it "times out when it does not answer, reads and writes alike" do
    patient = remote(redis: server.url)
    store = remote(redis: { url: server.url, **impatience })
    eventually { works { store.set("key", "value") } }
    server.pause
    expect { store.get("key") }.to raise_error(Ccache::TimeoutError, /did not answer within 1s.*"key"/) { |error|
      expect(error.retriable?).to be(true)
    }
    expect { store.set("key", "new") }.to raise_error(Ccache::Error)
    expect(store.size).to eq(0) # nobody knows what the server has
    server.resume
    eventually { works { store.get("key") } }
    expect(patient.get("key")).to eq("value").or eq("new")
  end

  it "times out when it takes no connection" do
    full = TCPServer.new("127.0.0.1", 0)
    full.listen(0)
    fillers = Array.new(8) do
      Socket.new(:INET, :STREAM).tap do |one|
        one.connect_nonblock(full.local_address, exception: false)
      end
    end
    mute = remote(redis: { url: "redis://127.0.0.1:#{full.addr[1]}", **impatience })
    2.times { expect { mute.get("key") }.to raise_error(Ccache::TimeoutError) } # the second one at once
  ensure
    fillers&.each(&:close)
    full&.close
  end

  it "times out when its Unix socket takes no connection" do
    Dir.mktmpdir do |directory|
      path = File.join(directory, "full")
      full = UNIXServer.new(path)
      full.listen(0)
      filler = UNIXSocket.new(path)
      expect { remote(redis: { url: "unix://#{path}", **impatience }).get("key") }.to raise_error(Ccache::TimeoutError)
    ensure
      [filler, full].compact.each(&:close)
    end
  end

  it "is connected to anew after it became a replica: its name may lead elsewhere" do
    store.set("key", "value")
    server.command("REPLICAOF", "127.0.0.1", "1")
    expect { store.set("key", "new") }.to raise_error(Ccache::ServerError, /READONLY/)
    server.command("REPLICAOF", "NO", "ONE")
    before = store.stats[:connections]
    store.set("key", "new")
    expect(store.get("key")).to eq("new")
    expect(store.stats[:connections] - before).to eq(2)
  end

  it "is told apart by what it answers" do
    small = own_server("--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
    full = remote(redis: small.url, compress: :none)
    expect { 200.times { |number| full.set("key#{number}", "x" * 100_000) } }
      .to raise_error(Ccache::ServerError, /OOM.*"key\d+"/) { |error| expect(error.retriable?).to be(true) }
    server.command("REPLICAOF", "127.0.0.1", "1")
    expect { store.set("key", "value") }.to raise_error(Ccache::ServerError, /READONLY/)
  end

  it "does not keep a loaded value from its caller" do
    events = []
    store = remote(redis: server.url, on_event: ->(name, payload) { events << [name, payload[:error].class] })
    value = store.fetch("key") { server.kill || "loaded" }
    expect(value).to eq("loaded")
    expect(store.stats).to include(write_failures: 1, entries: 0)
    expect(events).to eq([[:write_failed, Ccache::ConnectionError]])
  end

  it "speaks another protocol" do
    impostor = TCPServer.new("127.0.0.1", 0)
    thread = Thread.new do
      impostor.accept.tap do |socket|
        socket.readpartial(9) && socket.write("HTTP/1.1 400\r\n\r\n")
      end
    end
    expect { remote(redis: "redis://127.0.0.1:#{impostor.addr[1]}").get("key") }
      .to raise_error(Ccache::ConnectionError, /not a reply of this protocol/)
  ensure
    join(thread).each(&:close)
    impostor.close
  end

  it "refuses a connection: that is shown, and memory may answer in its place" do
    small = own_server("--maxclients", "1", "--requirepass", "s3cret")
    taken = nil
    eventually { (taken = TCPSocket.new("127.0.0.1", small.port)).write("PING\r\n") && taken.gets.include?("NOAUTH") }
    [small.url.sub("//", "//:s3cret@"), small.url].each do |url|
      store = remote(redis: url, stale_if_error: 60)
      expect { store.get("key") }.to raise_error(Ccache::ConnectionError, /max number of clients reached/) { |error|
        expect(error.retriable?).to be(true)
      }
      expect(failure_of { store.increment("key") }).to include("max number of clients reached")
    end
  ensure
    taken&.close
  end

  it "refuses a connection that was good before, and memory answers where it may" do
    store = remote(redis: server.url, stale_if_error: 60)
    store.set("key", "value")
    ["DENIED Redis is running in protected mode", "ERR max number of clients reached"].each do |words|
      server.kill
      impostor = TCPServer.new("127.0.0.1", server.port)
      thread = Thread.new { loop { impostor.accept.tap { |one| one.write("-#{words}\r\n") }.close } }
      eventually { failure_of { store.etag("key") }.to_s.include?(words) }
      expect(store.get("key", max_age: 0)).to eq("value")
    ensure
      thread&.kill&.join
      impostor&.close
    end
  end

  it "is reached over a Unix socket as well" do
    local = remote(redis: "unix://#{server.socket}?db=2")
    local.set("key", "value")
    expect(local["key"]).to eq("value")
    expect(server.command("EXISTS", "#{namespace}:key", db: 2)).to eq(1)
    expect(local.inspect).to include("server=unix://#{server.socket}?db=2")
  end

  it "is left by close, which ends all that wait for it" do
    store.set("key", "value")
    server.pause
    threads = Array.new(4) { |number| Thread.new { number.even? ? store.get("key") : store.set("other", 1) } }
    threads.each { |thread| thread.report_on_exception = false }
    until_asleep(threads.first)
    closed = elapsed do
      store.close
      threads.each { |thread| expect { join(thread) }.to raise_error(Ccache::Error) }
    end
    expect(closed).to be < 15 # not by running out of time
    server.resume
    expect { store.get("key") }.to raise_error(Ccache::ClosedError)
    eventually { server.command("CLIENT", "LIST").lines.size == 1 }
  end
end
