# frozen_string_literal: true

# Invariants G1, G2, G7: what is stored is alive, where it is, until it is removed.
#
# To see red: in ext/ccache/src/segment.rs drop the line `.each(|word|
# rb_sys::rb_gc_mark_movable(…))` of `Segment::mark` (freed objects) or the
# `RB_OBJ_WRITTEN` of `Link::set` (segments freed while young), or in pin_list.rs
# that of `PinList::pin` (objects freed by a minor GC).
RSpec.describe "Pinned objects" do
  let(:store) { Ccache::Store.new }

  def temporary(number)
    "temporary #{number} #{"x" * 50}"
  end

  it "survive the collection that frees every other temporary" do
    elsewhere { store.set("key", temporary(1)) && nil }
    GC.start
    100_000.times { Object.new } unless Scale.small?
    expect(store.get("key")).to eq(temporary(1))
  end

  it "survive a loop of inserts, collections and reads under GC.stress" do
    wrong = Garbage.stressing(full: true) do
      20.times.reject do |number|
        store.set("key#{number % 5}", temporary(number))
        Object.new
        store.get("key#{number % 5}") == temporary(number)
      end
    end
    expect(wrong).to eq([])
  end

  it "survive minor collections while young, in old and in new segments" do
    count = Scale.of(1000, small: 70)
    count.times { |number| store["old#{number}"] = temporary(number) }
    4.times { GC.start }
    count.times do |number|
      store["old#{number}"] = temporary(-number) if number.odd?
      store["new#{number}"] = temporary(number)
      GC.start(full_mark: false) if (number % 50).zero?
    end
    GC.start(full_mark: false)
    wrong = (0...count).reject do |number|
      store["new#{number}"] == temporary(number) &&
        store["old#{number}"] == temporary(number.odd? ? -number : number)
    end
    expect(wrong).to eq([])
  end

  it "survive an incremental mark that is under way when they are stored" do
    count = Scale.of(20_000, small: 50)
    ballast = Array.new(count) { [Object.new] }
    GC.start(full_mark: true, immediate_mark: false, immediate_sweep: false)
    count.times { |number| store["key#{number % 1000}"] = temporary(number) }
    GC.start
    last = [count, 1000].min
    wrong = (count - last...count).reject { |number| store["key#{number % 1000}"] == temporary(number) }
    expect(wrong).to eq([])
    expect(ballast.size).to eq(count)
  end

  it "are freed once overwritten, deleted, cleared or evicted" do
    klass = Class.new
    bounded = Ccache::Store.new(max_entries: 1)
    elsewhere do
      Garbage::MANY.times do
        store["overwritten"] = klass.new
        store["overwritten"] = nil
        store["deleted"] = klass.new
        store.delete("deleted")
        store["cleared"] = klass.new
        store.clear
        bounded["evicted"] = klass.new
        bounded["other"] = nil
      end
    end
    expect([store.pin_list.size, bounded.pin_list.size]).to eq([0, 0])
    expect(collected?(klass)).to be(true)
  end

  it "are each pinned once per entry, immediates not at all" do
    shared = Object.new
    store.set_multi({ "a" => shared, "b" => shared, "c" => 1, "d" => nil, "e" => :symbol, "f" => 1.5 })
    expect(store.pin_list.size).to eq(2)
    expect(store.pin_list.to_a).to eq([shared, shared])
    store.delete("a")
    GC.start
    expect(store["b"]).to equal(shared)
  end

  it "are held by the handle of their own store alone" do
    other = Ccache::Store.new
    expect(Ccache::Testing.roots_across_stores(store, store, Object.new)).to be(true)
    expect(Ccache::Testing.roots_across_stores(store, other, Object.new)).to be(false)
  end
end
