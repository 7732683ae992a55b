# frozen_string_literal: true

# Invariant G9: after a fork the child works.
#
# To see red: in ext/ccache/src/fork.rs leave the body of `prepare` empty (children
# hang on a lock that a native thread held), or take `forget_thread_of_parent` out
# of `child` (nothing expires in the child); in reaper.rs leave out `bury` (pins of a
# clear that the fork interrupted stay for ever).
RSpec.describe "A forked child" do
  let!(:store) { Ccache::Store.new }
  let!(:keys) { Array.new(100) { |number| number.to_s } }

  def busy
    store.set_multi(keys.to_h { |key| [key, ["value", key]] })
    Ccache::Testing.hammer(store, 3, keys.size)
    rubies = Array.new(2) do |seed|
      Thread.new do
        random = Random.new(seed)
        loop { store.fetch(keys.sample(random: random)) { |key| Thread.pass || ["value", key] } }
      end
    end
    yield
  ensure
    rubies&.each(&:kill)&.each(&:join)
    Ccache::Testing.stop_hammering
  end

  def use_everything
    keys.each do |key|
      value = store[key]
      exit!(2) unless value.nil? || value == ["value", key]
      store[key] = ["value", key]
    end
    exit!(3) unless store.fetch("1") { %w[value 1] } == %w[value 1]
    GC.start
    exit!(4) unless keys.all? { |key| store[key] == ["value", key] }
    exit!(5) unless store.pin_list.size >= store.size
  end

  forks = Scale.of(200, quick: 40, small: 5)

  it "reads, writes and exits, #{forks} times out of #{forks}, whatever other threads do" do
    statuses = busy do
      Array.new(forks) do
        status = nil
        took = elapsed { status = status_of_fork { use_everything } }
        break [[status, took]] if status == :stuck

        [status, took]
      end
    end
    expect(statuses.map(&:first)).to all(satisfy { |status| status != :stuck && status.success? })
    # How long that takes is a matter of what else the machine does: far less than a second if that is nothing.
    took = statuses.map(&:last).sort
    RSpec.configuration.reporter.message("  A forked child took #{took[took.size / 2].round(2)} s (median), " \
                                         "at most #{took.last.round(2)} s.")
  end

  it "expires entries and frees stores with a thread of its own" do
    store.set("key", Object.new, expires_in: 4) # long enough to fork before
    status = status_of_fork do
      store.size
      eventually { store.pin_list.size.zero? }
      other = Ccache::Store.new
      other.set("key", Object.new, expires_in: 0.05)
      eventually { other.size.zero? }
    end
    expect(status).to be_success
  end

  it "works, and loses no pin for ever, when it was forked in the middle of a long clear" do
    count = Scale.of(300_000, small: 2000)
    store = Ccache::Store.new(max_entries: count, expires_in: 60)
    statuses = Array.new(3) do
      without_stress { count.times { |number| store[number.to_s] = number.to_s } }
      clearing = Thread.new { store.clear }
      Thread.pass while clearing.alive? && store.size == count
      status = status_of_fork do
        store["key"] = "value"
        # What the clear had not come to is still in the child's map; what it had taken out is not.
        eventually(within: 30) { store.pin_list.size == store.size }
        exit!(2) unless store["key"] == "value"
        store.clear
        exit!(3) unless [store.size, store.pin_list.size] == [0, 0]
      end
      join(clearing)
      status
    end
    expect(statuses).to all(be_success)
    expect([store.size, store.pin_list.size]).to eq([0, 0])
  end

  it "makes tags that its parent and its siblings never make" do
    tags = Array.new(3) do
      reader, writer = IO.pipe
      status_of_fork { writer.write(Array.new(10) { store.set("key", 1) }.join(" ")) && writer.flush }
      writer.close
      reader.read.split
    end
    tags << Array.new(10) { store.set("key", 1) }
    expect(tags.flatten.uniq.size).to eq(40)
  end

  it "does not wait for the loaders of its parent's threads" do
    go = Queue.new
    loader = Thread.new { store.fetch("key") { go.pop } }
    until_asleep(loader)
    status = status_of_fork { store.fetch("key") { "child's" } == "child's" or exit!(2) }
    go << "parent's"
    expect(status).to be_success
    expect(join(loader)).to eq(["parent's"])
  end

  it "goes on with the load in which it was forked" do
    value = store.fetch("key") do
      pid = fork
      next "parent's" if pid && Process.wait2(pid)[1].exitstatus == 7

      "child's"
    end
    exit!(store["key"] == "child's" ? 7 : 1) if value == "child's"
    expect(store["key"]).to eq("parent's")
  end

  it "may be a daemon" do
    program = <<~'RUBY'
      store = Ccache::Store.new
      100.times { |number| store[number.to_s] = ["value", number] }
      Ccache::Testing.hammer(store, 2, 100)
      reader, writer = IO.pipe
      pid = fork do
        Process.daemon(true, true)
        100.times { |number| store[number.to_s] = ["new", number] }
        GC.start
        right = (0...100).all? { |number| store[number.to_s] == ["new", number] }
        store.set("short", Object.new, expires_in: 0.05)
        sleep 0.01 while store.key?("short")
        writer.write(right ? "right" : "wrong")
        exit!
      end
      Process.wait(pid)
      writer.close
      puts reader.read
      Ccache::Testing.stop_hammering
    RUBY
    expect(output_of(program)).to eq("right\n")
  end
end
