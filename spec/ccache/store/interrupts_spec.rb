# frozen_string_literal: true

# Interrupts at each point at which Ruby may act upon one: the end of a method, its own or a
# native one. (Ruby 3.1 looks for a kill before the result of a native method is assigned.)
# They are real: the tracer only says when.
#
# To see red: in lib/ccache/store/loading.rb let `_take_lease` say which lease it took, or in
# lib/ccache/coalescer.rb put a Hash literal in the place of Interrupts::HELD_BACK.
RSpec.describe Ccache::Store, "loads that are interrupted", :mistyped do
  # At the ends of the method calls of these numbers; false if there were fewer.
  def interrupt(*numbers, &block)
    count = 0
    trace = TracePoint.new(:c_return, :return) do |point|
      next if raising?(point.self) # Ruby takes no interrupt then

      Thread.current.raise(Interrupt) if numbers.include?(count += 1) # waits where interrupts are held back
    end
    Thread.new do
      Thread.current.report_on_exception = false
      trace.enable(target_thread: Thread.current, &block)
      count >= numbers.max
    rescue Interrupt, IOError
      count >= numbers.max
    end.value
  end

  def raising?(receiver)
    Exception === receiver || (Class === receiver && receiver <= Exception)
  end

  def left_of(store)
    flights = Ccache::Coalescer.current.instance_variable_get(:@flights)
    [flights.count { |(owner, *), _| owner.equal?(store) }, Ccache::Testing.leases(store)]
  end

  # How many points there were.
  def expect_nothing_left(store, **options, &loader)
    store.clear
    points = (1..).take_while do |number|
      key = "key#{number}"
      was_interrupted = interrupt(number) { store.fetch(key, **options, &loader) }
      expect(left_of(store)).to eq([0, 0]), "after call #{number}"
      expect(store.fetch(key, **options) { "again" }).to match(/loaded|again/)
      was_interrupted
    end
    points.size
  end

  def expect_nothing_left_however_it_ends(store, **options)
    expect(expect_nothing_left(store, **options) { "loaded" }).to be > 20
    expect(expect_nothing_left(store, skip_nil: true, **options) { nil }).to be > 20
    expect(expect_nothing_left(store, **options) { raise IOError }).to be > 20
  end

  it "leave no lease and no flight, and their key to others, in process" do
    expect_nothing_left_however_it_ends(described_class.new)
    expect_nothing_left_however_it_ends(described_class.new, expires_in: 60)
  end

  # Both what is interrupted, and what is on its way out already.
  def interrupt_twice
    (1..).take_while do |first|
      (first + 1..).take_while { |second| yield first, second }.any?
    end
  end

  it "leave nothing in memory that the server may not have, where writes are" do
    store = remote(max_age: 600)
    other = remote
    changes = [-> { store.set("key", "new") }, -> { store.delete("key") }, -> { store.clear },
               -> { store.set_multi({ "key" => "new" }) }, -> { store.delete_multi("key") }]
    changes.each do |change|
      interrupt_twice do |*numbers|
        store.set("key", "old")
        were_so_many = interrupt(*numbers, &change)
        expect(store.get("key")).to eq(other.get("key")), "after calls #{numbers}"
        were_so_many
      end
    end
  end

  it "leave no lease and no flight, and their key to others, with a server" do
    expect_nothing_left_however_it_ends(remote)
    expect_nothing_left_however_it_ends(remote(namespace: "locked"), lock: 600)
  end
end
