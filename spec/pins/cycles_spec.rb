# frozen_string_literal: true

# No global root: a value that refers to its store goes with it (reference
# counting leaks cycles, mark and sweep from the roots does not).
#
# To see red: in ext/ccache/src/store.rs let `allocate` call
# `rb_gc_register_mark_object` on the new object.
RSpec.describe "A cycle through a store" do
  def finalized(object, events, name)
    ObjectSpace.define_finalizer(object, self.class.finalizer(events, name))
  end

  def self.finalizer(events, name)
    proc { events << name }
  end

  def all_but_strays?(events, names)
    names.all? { |name| events.count(name) >= Garbage::MANY - Garbage::STRAYS }
  end

  it "of a value that holds its own store is collected with it" do
    events = []
    elsewhere do
      Garbage::MANY.times do
        store = Ccache::Store.new
        value = [store]
        store["self"] = value
        finalized(store, events, :store)
        finalized(value, events, :value)
      end
    end
    expect(collect_until { all_but_strays?(events, %i[store value]) }).to be(true)
  end

  it "of two stores that hold each other is collected" do
    events = []
    elsewhere do
      Garbage::MANY.times do
        one = Ccache::Store.new
        two = Ccache::Store.new
        one["two"] = two
        two["one"] = one
        finalized(one, events, :one)
        finalized(two, events, :two)
      end
    end
    expect(collect_until { all_but_strays?(events, %i[one two]) }).to be(true)
  end

  it "is kept whole while the value alone is in reach" do
    value = elsewhere do
      store = Ccache::Store.new
      value = [store]
      store["self"] = value
      value
    end
    GC.start
    expect(value[0]["self"]).to equal(value)
  end
end
