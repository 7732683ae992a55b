# frozen_string_literal: true

# Processes that are forked from one that has connections (invariant G9).
#
# To see red: in ext/ccache_core/src/remote/links.rs let `is_ours` be true always.
RSpec.describe "A forked child of a process with a server" do
  let(:store) { remote }

  before { store.set("key", "value") }

  def clients
    Servers.shared.command("CLIENT", "LIST").lines.size
  end

  it "opens its own connections, and leaves its parent's alone" do
    store.get("key")
    children = Array.new(4) do |number|
      fork do
        ok = 50.times.all? { store.get("key") == "value" }
        store.set("child#{number}", number.to_s)
        exit!(ok ? 0 : 1)
      end
    end
    connections = store.stats[:connections]
    50.times { expect(store.get("key")).to eq("value") }
    expect(children.map { |pid| wait_for_process(pid) }).to all(be_success)
    expect(store.get("key")).to eq("value")
    expect(store.get_multi(*Array.new(4) { |number| "child#{number}" }).values).to eq(%w[0 1 2 3])
    expect(store.stats[:connections]).to eq(connections)
  end

  it "validates before it trusts what it inherited" do
    store.get("key")
    remote.set("key", "new")
    expect(status_of_fork { store.get("key") == "new" or exit!(2) }).to be_success
  end

  it "works when it was forked in the middle of others' reads" do
    stop = false
    readers = Array.new(4) { Thread.new { store.get("key") until stop } }
    statuses = Array.new(Scale.of(30, small: 3)) do
      status_of_fork { 3.times { store.get("key") == "value" or exit!(2) } }
    end
    expect(statuses).to all(be_success)
  ensure
    stop = true
    join(readers)
  end

  it "works though its parent's server hung at the fork" do
    server = own_server
    store = remote(redis: { url: server.url, read_timeout: 30 })
    store.set("key", "value")
    server.pause
    reader = Thread.new { store.get("key") }
    until_asleep(reader)
    child = fork { exit!(store.get("key") == "value" ? 0 : 2) }
    server.resume
    expect(wait_for_process(child)).to be_success
    expect(join(reader)).to eq(["value"])
  end

  it "closes its copies of the idle ones, so that a parent's close is seen" do
    server = own_server
    store = remote(redis: server.url)
    store.set("key", "value")
    reader, writer = IO.pipe
    child = fork do
      store.get("key")
      writer.write("x")
      sleep
    end
    reader.readpartial(1)
    expect(server.command("CLIENT", "LIST").lines.size).to eq(3) # one here, one there, and this one
    store.close
    eventually { server.command("CLIENT", "LIST").lines.size == 2 }
  ensure
    Process.kill(:KILL, child)
    Process.wait(child)
  end

  it "revalidates behind its callers' backs with a thread of its own" do
    stale = remote(stale_while_revalidate: 60)
    stale.get("key")
    stale.get("key")
    remote.set("key", "new")
    status = status_of_fork do
      stale.get("key")
      eventually { stale.get("key") == "new" }
    end
    expect(status).to be_success
  end

  # Waiting threads must leave nothing in a table that the child inherits.
  it "works with many threads of its own when many were waiting at the fork" do
    stop = false
    readers = Array.new(24) { Thread.new { store.get("key") until stop } }
    statuses = Array.new(Scale.of(40, small: 2)) do
      status_of_fork do
        Array.new(24) { Thread.new { 5.times { store.get("key") == "value" or exit!(2) } } }.each(&:join)
      end
    end
    expect(statuses).to all(be_success)
  ensure
    stop = true
    join(readers)
  end
end
