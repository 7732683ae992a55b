# frozen_string_literal: true

# Invariant G4: no Ruby code runs while a lock of ours is held. In processes of
# their own, since a native deadlock answers to nobody.
#
# To see red: in ext/ccache/src/methods.rs let `read` decode (`into_object`) inside
# the closure that the map calls under its shard's lock.
RSpec.describe "Ruby code that a store calls may use that store:" do
  def expect_done(program)
    expect(output_of(program)).to eq("done\n")
  end

  it "Marshal's hooks of a value that is encoded or decoded" do
    expect_done(<<~'RUBY')
      STORE = Ccache::Store.new(values: :fresh, max_entries: 3)
      class Hooked
        def marshal_dump = (STORE.set("key", 1) && STORE.clear && [])
        def marshal_load(_) = (STORE["other"] = 1) && STORE.delete("key")
      end
      100.times do
        STORE.set("key", Hooked.new)
        STORE["key"]
        STORE.set("key", Hooked.new)
        STORE.each { |_, _| STORE.clear }
        STORE.fetch("key") { Hooked.new }
      end
      puts "done"
    RUBY
  end

  it "hooks of a value that is copied or frozen" do
    expect_done(<<~'RUBY')
      STORE = Ccache::Store.new(values: :copied)
      class Hooked
        def initialize_copy(_) = STORE.set("key", 1)
        def freeze = STORE.clear && super
      end
      100.times do
        STORE.set("key", Hooked.new)
        STORE.set("key", Hooked.new, values: :frozen)
      end
      puts "done"
    RUBY
  end

  it "loaders, drafts, walks, finalizers and methods of a bad key" do
    expect_done(<<~'RUBY')
      STORE = Ccache::Store.new(max_entries: 50)
      BAD = Class.new { def inspect = STORE.set("inspected", 1) }.new
      finalizer = proc { STORE["finalized"] = Object.new }
      300.times do |number|
        object = Object.new
        ObjectSpace.define_finalizer(object, finalizer)
        STORE["key#{number % 70}"] = object
        STORE.fetch("loaded") { STORE.clear && STORE.set("loaded", [1]) }
        STORE.update("loaded") { |draft| STORE["inner"] = draft }
        STORE.each { |key, _| STORE.delete(key) }
        begin
          STORE[BAD]
        rescue Ccache::InvalidKey
          GC.start if number % 50 == 0
        end
      end
      puts "done"
    RUBY
  end
end
