# frozen_string_literal: true

require "objspace"

# Invariants G5, G6: at exit Ruby frees objects in any order while native threads
# run; mark functions also run outside a GC; a sweep does not wait for a map.
#
# To see red: in ext/ccache_core/src/slots.rs let `SlotHandle` not keep the slots
# alive (a fault once a store is collected); in ext/ccache/src/store.rs leave out
# `abandon` in `free` (maps of collected stores stay).
RSpec.describe "Exit and introspection" do
  it "leave no fault while native threads are inside stores" do
    program = <<~'RUBY'
      stores = Array.new(3) { Ccache::Store.new }
      stores.each do |store|
        1000.times { |number| store.set(number.to_s, "value #{number}", expires_in: 0.001 * (number % 50 + 1)) }
        Ccache::Testing.hammer(store, 2, 1000)
      end
      at_exit { stores.each { |store| store["late"] = "value" } }
    RUBY
    outcomes = Array.new(Scale.of(10, quick: 4, small: 2)) { run_ruby(program) }
    expect(outcomes).to all(succeed)
    expect(outcomes.map(&:output)).to all(be_empty)
  end

  it "is clean for stores in every state" do
    program = <<~'RUBY'
      Ccache::Store.allocate
      Ccache::Store.new.close
      $full = Ccache::Store.new(max_entries: 10, expires_in: 60)
      100.times { |number| $full[number.to_s] = Object.new }
      ObjectSpace.define_finalizer($full, proc { puts "finalized" })
      Thread.new { $full.fetch("stuck") { sleep } }
      Thread.pass
    RUBY
    expect(output_of(program)).to eq("finalized\n")
  end

  it "lets ObjectSpace walk through stores, segments and values" do
    store = Ccache::Store.new
    value = ["value"]
    100.times { |number| store["key#{number}"] = value }
    segments = ObjectSpace.each_object(Ccache::PinList::Segment).to_a
    reached = segments.flat_map { |segment| ObjectSpace.reachable_objects_from(segment) }
    expect(reached).to include(value)
    expect(segments.sum(&:size)).to be >= 100
    expect(segments.map(&:inspect)).to all(match(/\d+ of 64 slots in use/))
    expect(ObjectSpace.reachable_objects_from(store)).to include(be_a(Ccache::PinList::Segment))
    expect(ObjectSpace.memsize_of(segments.first)).to be > 512
    expect { Ccache::PinList::Segment.new }.to raise_error(TypeError)
    expect { Ccache::PinList::Segment.allocate }.to raise_error(TypeError)
  end

  it "survives a mark function that is left by an exception" do
    store = Ccache::Store.new
    store["key"] = Thread::Mutex.new
    segment = ObjectSpace.each_object(Ccache::PinList::Segment).first
    expect { Ractor.make_shareable([segment]) }.to raise_error(Ractor::Error)
    expect(store["key"]).to be_a(Thread::Mutex)
  end

  it "leave no fault when handles are dropped after their segments were collected" do
    program = <<~'RUBY'
      10.times do
        Thread.new do
          20.times do
            store = Ccache::Store.new
            300.times { |number| store["k#{number}"] = Object.new }
          end
        end.join
        5.times { GC.start }
      end
      puts "done"
    RUBY
    expect(output_of(program)).to eq("done\n")
  end

  it "hands the map of a collected store to another thread, which drops it" do
    count = Scale.of(100_000, small: 500)
    klass = Class.new
    maps = elsewhere do
      stores = Array.new(Garbage::MANY) do
        store = Ccache::Store.new
        (count / Garbage::MANY).times { |number| store["key#{number}"] = number }
        store.tap { store["last"] = klass.new }
      end
      Ccache::Testing.maps.tap { stores.clear }
    end
    expect(collected?(klass)).to be(true)
    eventually { Ccache::Testing.maps < maps }
  end
end
