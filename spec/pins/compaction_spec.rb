# frozen_string_literal: true

# Objects move while native threads unpin: invariants G2, G6.
#
# To see red: in ext/ccache/src leave out a link of `PinList::relocate` or of
# `Segment::compact`, or its `segment.slots.relocate(…)`. That a slot emptied
# in the middle stays empty takes a race of nanoseconds: the loom model of slots.rs
# and its unit test `relocation_updates_the_words_in_use_and_no_other` show it.
RSpec.describe "Compaction of a full store" do
  let(:count) { Scale.of(5000, small: 100) }
  let(:store) { Ccache::Store.new }

  def fill(random)
    (count / 2).times do
      number = random.rand(count)
      store[number.to_s] = ["value #{number}", Object.new]
    end
  end

  def wrong_values
    (0...count).reject do |number|
      value = store[number.to_s]
      value.nil? || value[0] == "value #{number}"
    end
  end

  # Fills and reads while the block does its worst in between.
  def churn(rounds)
    random = Random.new(4)
    Ccache::Testing.hammer(store, 2, count)
    rounds.times do
      fill(random)
      steps = Ccache::Testing.hammer_steps
      yield
      expect(wrong_values).to eq([])
      eventually { Ccache::Testing.hammer_steps > steps }
    end
  ensure
    Ccache::Testing.stop_hammering
    expect(store.pin_list.size).to eq(store.size)
    expect(store.pin_list.to_a.size).to eq(store.pin_list.size) # words and free bits agree
  end

  it "by GC.compact keeps every value right while native threads unpin" do
    churn(Scale.of(20, small: 1)) { GC.compact }
  end

  it "by GC.auto_compact keeps every value right while native threads unpin" do
    GC.start # no mark may be under way: Ruby 3.1 would compact at its end what it did not pin
    GC.auto_compact = true
    churn(Scale.of(20, small: 1)) { GC.start }
  ensure
    GC.auto_compact = false
  end

  it "moves segments and values, as verify_compaction_references proves" do
    program = <<~'RUBY'
      store = Ccache::Store.new
      count = 5000
      count.times { |number| store[number.to_s] = ["value #{number}", Object.new] }
      count.times { |number| store.delete(number.to_s) if number % 3 == 0 }
      Ccache::Testing.hammer(store, 2, count / 2)
      2.times do
        options = RUBY_VERSION >= "3.2" ? { toward: :empty, expand_heap: true } : { toward: :empty, double_heap: true }
        GC.verify_compaction_references(**options)
        GC.verify_internal_consistency
        count.times { |number| store[number.to_s] = ["value #{number}", Object.new] if number % 5 == 0 }
      end
      Ccache::Testing.stop_hammering
      GC.verify_internal_consistency
      wrong = (0...count).reject { |number| (value = store[number.to_s]).nil? || value[0] == "value #{number}" }
      abort "wrong: #{wrong.inspect}" unless wrong.empty?
      puts "checked #{store.size}"
    RUBY
    expect(output_of(program)).to match(/checked [1-9]/)
  end

  it "finds the heap consistent at every stage of a store's life" do
    GC.verify_internal_consistency
    count.times { |number| store[number.to_s] = "value #{number}" }
    GC.start(full_mark: false)
    count.times { |number| store[number.to_s] = "new #{number}" if number.odd? }
    GC.verify_internal_consistency
    store.clear
    GC.verify_internal_consistency
    expect(store.size).to eq(0)
  end
end
