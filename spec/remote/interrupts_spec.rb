# frozen_string_literal: true

# Threads that are wanted elsewhere while a server hangs (invariants G8, P4).
#
# To see red: in ext/ccache/src/gvl.rs pass no unblock function; in
# ext/ccache_core/src/remote/lane.rs drop the line in `lead` when interrupted.
RSpec.describe "A wait for a server that hangs" do
  let!(:server) { own_server }
  let(:store) { remote(redis: { url: server.url, read_timeout: 30, write_timeout: 30, connect_timeout: 30 }) }

  before do
    store.set("key", "value")
    store.get("key")
    server.pause
  end

  # Waiting for the server, without the GVL.
  def waiting(&block)
    Thread.new(&block).tap do |thread|
      thread.report_on_exception = false
      until_asleep(thread)
    end
  end

  operations = { read: ->(store) { store.get("key") }, transfer: ->(store) { store.get("other") },
                 write: ->(store) { store.set("key", 1) }, many: ->(store) { store.get_multi("key", "other") },
                 lock: ->(store) { store.fetch("x", lock: 5) { 1 } } }

  operations.each do |name, operation|
    it "ends at Thread#kill, at Timeout and at an exception from another thread: #{name}" do
      ends = { kill: :kill, raise: [:raise, IOError] }.map do |_, how|
        thread = waiting { operation.call(store) }
        elapsed { thread.public_send(*how) && thread.join(25) rescue nil } # rubocop:disable Style/RescueModifier
      end
      ends << elapsed { expect { Timeout.timeout(0.05) { operation.call(store) } }.to raise_error(Timeout::Error) }
      expect(ends.max).to be < 20
      server.resume
      expect(store.get("key")).to eq("value").or eq(1)
    end
  end

  it "hurts no other waiter, and costs no connection" do
    connections = store.stats[:connections]
    leader = waiting { store.get("key") }
    others = Array.new(8) { waiting { store.get("key") } }
    leader.kill
    others.first.kill
    server.resume
    expect(join(others.drop(1))).to eq(["value"] * 7)
    expect(store.get("key")).to eq("value")
    expect(store.stats[:connections]).to eq(connections)
  end

  it "goes on after an interrupt that it is not meant for" do
    thread = waiting { Thread.handle_interrupt(Object => :never) { store.get("key") } }
    thread.raise(IOError)
    writer = waiting { Thread.handle_interrupt(Object => :never) { store.set("written", 1.5) } }
    writer.raise(IOError)
    server.resume
    expect { thread.join(25) }.to raise_error(IOError) # after the block
    expect { writer.join(25) }.to raise_error(IOError)
    expect(store["written"]).to eq(1.5)
    expect(server.calls("set")).to eq(2) # not twice for being interrupted
  end

  it "lets a signal's handler use the store" do
    program = <<~RUBY
      $stdout.sync = true
      store = Ccache::Store.new(redis: { url: ARGV[0], connect_timeout: 30, read_timeout: 30 }, namespace: ARGV[1])
      store.get("key")
      trap("USR1") { Thread.new { store.size }.join; $stdout.syswrite("handled\n") } # puts may be at work outside
      trap("USR2") { raise IOError, "out" }
      begin
        puts "ready"
        loop { store.get("key") }
      rescue IOError => e
        puts e.message
      end
    RUBY
    server.resume
    IO.popen([RbConfig.ruby, "-I", Processes::LIBRARY, "-r", "ccache", "-e", program, server.url, namespace]) do |io|
      expect(io.gets).to eq("ready\n")
      eventually { server.calls("getrange") > 2 }
      server.pause
      Process.kill(:USR1, io.pid)
      took = elapsed { expect(io.gets).to eq("handled\n") }
      took += elapsed { Process.kill(:USR2, io.pid) && expect(io.gets).to(eq("out\n")) }
      expect(took).to be < 20
    end
  end

  it "ends at Ctrl-C, also for the only thread there is" do
    program = <<~RUBY
      $stdout.sync = true
      store = Ccache::Store.new(redis: { url: ARGV[0], connect_timeout: 30, read_timeout: 30 }, namespace: ARGV[1])
      begin
        puts "ready"
        store.get("key")
      rescue Interrupt
        puts "interrupted"
      end
    RUBY
    IO.popen([RbConfig.ruby, "-I", Processes::LIBRARY, "-r", "ccache", "-e", program, server.url, namespace]) do |io|
      expect(io.gets).to eq("ready\n")
      Process.kill(:INT, io.pid)
      expect(elapsed { expect(io.gets).to eq("interrupted\n") }).to be < 20
    end
  end

  it "does not hold the GVL" do
    waiting { store.get("key") }
    waiting { store.set("key", 1) }
    expect(elapsed { 1000.times { Thread.pass } }).to be < 20
    expect(store.size).to be >= 0
    server.resume
  end
end
