# frozen_string_literal: true

# Red without `ring` in `make_bell`, with the errors of `listen` swallowed, with keywords
# passed on to a method without arguments, or without `handle_interrupt` in EvictionThread.
RSpec.describe Ccache::Store, "the thread of on_evict:" do
  include Processes

  it "tells what left before it could be started" do
    expect(output_of(<<~RUBY)).to eq('["a", :expired]')
      told = Thread::Queue.new
      store = Ccache::Store.new(on_evict: ->(key, _, cause) { told << [key, cause] })
      Thread.new do
        ThreadGroup.new.add(Thread.current).freeze # no thread can be started in it
        store.set("a", 1, expires_in: 0.001)
        sleep 0.01 until store.size.zero?
      end.join
      store["b"]
      print told.pop.inspect
    RUBY
  end

  it "is told in a child of what left before its first call" do
    expect(output_of(<<~RUBY)).to eq('["a", :expired]')
      told = Thread::Queue.new
      store = Ccache::Store.new(on_evict: ->(key, _, cause) { told << [key, cause] })
      other = Ccache::Store.new
      store.set("a", 1, expires_in: 4) # long enough to fork before
      Process.wait(fork do
        other.set("later", 1, expires_in: 4.5) # starts the reaper, which drops this one last
        sleep 0.01 until other.size.zero?
        store["b"]
        print told.pop.inspect
      end)
    RUBY
  end

  it "is not started in the place of an interrupt" do
    expect(output_of(<<~RUBY)).to eq("nil")
      store = Ccache::Store.new(on_evict: ->(*) {})
      first = nil
      started = TracePoint.new(:call) { |at| first.kill if at.method_id == :spawn && Thread.current == first }
      started.enable
      first = Thread.new { Thread.stop; store["a"]; :survived }
      Thread.pass until first.stop?
      first.run
      print first.value.inspect
    RUBY
  end

  it "ends with the process, whatever its maker held back" do
    expect(run_ruby(<<~RUBY, within: 60)).to succeed
      store = Ccache::Store.new(on_evict: ->(*) {})
      Thread.handle_interrupt(Object => :never) { store["a"] }
    RUBY
  end

  it "is started, and told, by calls that got keywords for a value" do
    expect(output_of(<<~RUBY)).to eq('["k", 1, :replaced]')
      store = Ccache::Store.new(on_evict: ->(*departed) { print departed.inspect })
      store["k"] = 1
      store.public_send(:[]=, "k", a: 1)
    RUBY
  end

  it "goes on in another thread when a listener has ended its own" do
    expect(output_of(<<~RUBY)).to eq("next")
      told = Thread::Queue.new
      store = Ccache::Store.new(on_evict: ->(key, *) { told << key and key == "last words" && Thread.exit })
      store.set("last words", 1, expires_in: 3) # not before this call ends, which would tell it itself
      told.pop
      sleep 0.01 until Thread.list.one?
      store.set("next", 1, expires_in: 0.05)
      print told.pop
    RUBY
  end

  it "ends when its store is closed" do
    expect(output_of(<<~RUBY)).to eq("2, 1")
      store = Ccache::Store.new(on_evict: ->(*) {})
      store["a"] = 1
      print Thread.list.size, ", "
      store.close
      sleep 0.01 until Thread.list.one?
      print Thread.list.size
    RUBY
  end
end
