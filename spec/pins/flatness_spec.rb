# frozen_string_literal: true

# The pin list neither leaks nor grows: invariants G5, G7, P2.
#
# To see red: in ext/ccache_core/src/slots.rs leave the body of `Slots::release`
# empty (pins pile up), in pin_list.rs return early from `unlink_empty_segments`
# (segments stay), return `None` from `find_refill` (segments grow without end),
# or drop WB protection from `typed_data::data_type` (every segment is marked by
# every minor GC).
RSpec.describe "The pin list's size" do
  let(:store) { Ccache::Store.new }

  # Samples objects and memory while the block runs; both must be flat after the
  # first tenth.
  def expect_flat(times)
    samples = Array.new(10) do |tenth|
      (times / 10).times { |number| yield (tenth * times / 10) + number }
      GC.start
      [ObjectSpace.count_objects[:TOTAL] - ObjectSpace.count_objects[:FREE], ResidentMemory.bytes]
    end
    objects, bytes = samples.transpose
    expect(objects.last).to be_within(2000).of(objects[1])
    expect(bytes.last).to be < bytes[1] + 3_000_000
  end

  times = Scale.of(10_000_000, quick: 1_000_000, small: 200)

  it "is flat over #{times} overwrites of one key" do
    expect_flat(times) { |number| store["key"] = "value #{number}" }
    expect(store.stats).to include(entries: 1, pins: 1, segments: be <= 2)
  end

  it "is flat over #{times} inserts and deletes of 1,000 keys" do
    keys = Array.new(1000) { |number| "key #{number}" }
    random = Random.new(1)
    expect_flat(times) do |number|
      key = keys[random.rand(1000)]
      number.even? ? store[key] = "value #{number}" : store.delete(key)
    end
    expect(store.stats[:pins]).to eq(store.size)
    expect(store.pin_list.segments).to be <= 64
  end

  it "shrinks with the entries, by delete, clear, eviction and expiry" do
    count = Scale.of(20_000, small: 300)
    count.times { |number| store["key#{number}"] = Object.new }
    expect(store.pin_list.segments).to be >= count / 64
    (count - 10).times { |number| store.delete("key#{number}") }
    expect(store.pin_list.segments).to be <= 4
    store.clear
    expect(store.pin_list.segments).to be <= 2
  end

  it "is that of the entries after random churn, with segments at least half full on average" do
    random = Random.new(2)
    count = Scale.of(20_000, small: 100)
    count.times { |number| store["key#{number}"] = Object.new }
    (count * 5).times { store["key#{random.rand(count)}"] = Object.new }
    expect(store.pin_list.size).to eq(count)
    expect(store.pin_list.segments).to be <= (count / 64 * 2) + 8
  end

  describe "and a minor GC" do
    around { |example| without_stress { example.run } }

    # Slots that one minor GC visits after the block; again if Ruby found that a
    # major one was due, or collected in the block, too.
    def slots_marked
      10.times do
        before = counters
        yield
        GC.start(full_mark: false, immediate_sweep: true)
        majors, collections, visited = counters.zip(before).map { |now, earlier| now - earlier }
        return visited if [majors, collections] == [0, 1]
      end
      raise "no minor GC by itself in 10 tries"
    end

    def counters
      [GC.stat(:major_gc_count), GC.count, Ccache::PinList.slots_marked]
    end

    def filled(count)
      store = Ccache::Store.new
      count.times { |number| store["key#{number}"] = "value #{number}" }
      4.times { GC.start }
      age
      store
    end

    # Until what is young is old: what refers to young objects is visited by each minor GC.
    def age
      4.times { GC.start(full_mark: false) }
    end

    it "visit the same number of slots after one insert, however many entries there are" do
      # Full segments, all of them: the first insert then links a new one to a neighbour.
      sizes = [Scale.of(9_984, small: 192), Scale.of(1_000_000, quick: 99_968, small: 1984)]
      visited = sizes.map do |count|
        store = filled(count)
        store["a new segment, where all are full"] = Object.new
        age
        slots_marked { store["one more"] = Object.new }.tap { store.close }
      end
      expect(visited).to eq([64, 64])
    end

    it "visit at most 64 slots per overwrite under 1,000 random overwrites between collections" do
      count = Scale.of(100_000, small: 500)
      overwrites = Scale.of(1000, small: 20)
      store = filled(count)
      random = Random.new(3)
      rounds = Array.new(Scale.of(50, small: 3)) do
        slots_marked { overwrites.times { |number| store["key#{random.rand(count)}"] = "new #{number}" } }
      end
      expect(rounds.max).to be <= 64 * overwrites
      expect(rounds.max).to be > 0
    end
  end
end
