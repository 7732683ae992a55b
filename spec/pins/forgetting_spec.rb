# frozen_string_literal: true

# Invariant G5: safety never needs a destructor to run (Glommio's retracted
# ScopedTask). What is forgotten leaks, and nothing dangles.
#
# To see red: in ext/ccache/src/fork.rs take the bound out of `prepare`; in
# pin_list.rs register each segment as a global root (the store is never freed).
# That handles keep the slots' memory is exit_spec's.
RSpec.describe "mem::forget" do
  let(:store) { Ccache::Store.new }

  it "of an entry leaks its pin; the object stays alive and the store works" do
    klass = Class.new
    elsewhere { store["key"] = klass.new and nil }
    expect(Ccache::Testing.forget_entry(store, "key")).to be(true)
    store.delete("key")
    GC.start
    expect([store.size, store.pin_list.size, living(klass)]).to eq([0, 1, 1])
    GC.compact
    expect(store.pin_list.to_a).to match([be_a(klass)])
  end

  it "of a handle leaks its pin alone" do
    Ccache::Testing.forget_pin(store, Object.new)
    store["key"] = "value"
    store.clear
    GC.start
    expect(store.pin_list.size).to eq(1)
  end

  it "of handles does not keep a store that is out of reach" do
    klass = Class.new
    elsewhere { Garbage::MANY.times { Ccache::Testing.forget_pin(Ccache::Store.new, klass.new) } }
    expect(collected?(klass)).to be(true)
  end

  it "of the fork gate's guard makes forks slow, not stuck" do
    status = status_of_fork do
      Ccache::Testing.forget_gate
      store["key"] = 1
      status = status_of_fork { store["key"] == 1 or exit!(2) }
      exit!(3) if status == :stuck || !status.success?
    end
    expect(status).to be_success
  end
end
