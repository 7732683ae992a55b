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

  it "is one, though the call that started it was interrupted" do
    expect(output_of(<<~RUBY)).to eq("1, 1")
      store = Ccache::Store.new(on_evict: ->(*) {})
      first = nil
      started = TracePoint.new(:c_call) { |at| first.kill if at.method_id == :name= && Thread.current == first }
      started.enable
      first = Thread.new { Thread.stop; store["a"] }
      Thread.pass until first.stop?
      first.run
      first.join
      started.disable
      threads = 1
      TracePoint.new(:c_call) { |at| threads += 1 if at.self == Thread && at.method_id == :new }.enable do
        1000.times { |number| store["key"] = number and Thread.pass }
      end
      print threads, ", "
      store.close
      sleep 0.01 until Thread.list.one?
      print Thread.list.size
    RUBY
  end

  it "is one, wherever the call that started it was interrupted" do
    expect(output_of(<<~RUBY)).to eq("0")
      interrupted = Class.new(Exception)
      steps = 0
      until (steps += 1) > 200
        store = Ccache::Store.new(on_evict: ->(*) {})
        passed = 0
        trace = TracePoint.new(:call, :c_call, :return, :c_return) do
          (passed += 1) == steps && Thread.current.raise(interrupted)
        end
        begin
          trace.enable { store["a"] }
        rescue interrupted
          nil
        end
        3.times { store["a"] = 1 }
        threads = Thread.list - [Thread.current]
        abort "\#{threads.size} threads after step \#{steps}" unless threads.one?
        store.close
        threads.each(&:join)
        break if passed < steps
      end
      print Thread.list.size - 1
    RUBY
  end

  it "is withdrawn by itself alone when another one has taken its place" do
    expect(output_of(<<~RUBY)).to eq("1")
      store = Ccache::Store.new(on_evict: ->(*) {})
      store["a"]
      store.send(:_unheard, 0) # an older one's number
      store.send(:_unheard, 1)
      store["a"] # starts another one, whose bell ends the first
      sleep 0.01 until Thread.list.size == 2
      100.times { store["a"] = 1 }
      print Thread.list.size - 1
    RUBY
  end

  it "ends when its store is closed in the call that starts it" do
    expect(output_of(<<~RUBY)).to eq("1")
      store = Ccache::Store.new(on_evict: ->(*) {})
      closing = TracePoint.new(:call) { |at| closing.disable and store.close if at.method_id == :_listen }
      closing.enable { store["a"] }
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 30
      sleep 0.01 until Thread.list.one? || Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      print Thread.list.size
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
