# frozen_string_literal: true

# To see red: in ext/ccache/src/lib.rs take out `rb_ext_ractor_safe`, or in
# pin_list.rs make `lock_structure` wait with `lock` (a GC waits for it).
RSpec.describe "Ractors" do
  # In processes of their own: once there is a second Ractor, a VM works differently.
  it "load the extension and use a store each" do
    program = <<~'RUBY'
      ractors = Array.new(3) do |seed|
        Ractor.new(seed) do |seed|
          store = Ccache::Store.new(max_entries: 500, expires_in: 60)
          random = Random.new(seed)
          5000.times do |number|
            key = "key#{random.rand(1000)}"
            store.fetch(key) { ["value", key] }
            store.delete(key) if number % 7 == 0
            GC.start if number % 1000 == 0
          end
          store.each.all? { |key, value| value == ["value", key] } && store.size == store.pin_list.size
        end
      end
      puts ractors.map { |ractor| ractor.respond_to?(:value) ? ractor.value : ractor.take }.inspect
    RUBY
    expect(output_of(program)).to eq("[true, true, true]\n")
  end

  it "do not keep a GC waiting while one of them waits for the list's structure" do
    program = <<~'RUBY'
      STORE = Ractor.make_shareable(Ccache::Store.new(values: :copied))
      Ccache::Testing.hold_structure(STORE, 8000)
      ractor = Ractor.new { STORE["key"] = "value"; :done }
      sleep 1 # until the ractor waits
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      GC.start
      puts Process.clock_gettime(Process::CLOCK_MONOTONIC) - started < 6
      puts ractor.respond_to?(:value) ? ractor.value : ractor.take
    RUBY
    expect(output_of(program)).to eq("true\ndone\n")
  end

  it "cannot share a store that something was stored in, which stays as it was" do
    store = Ccache::Store.new
    store["key"] = "value"
    expect { Ractor.make_shareable(store) }.to raise_error(Ccache::NotShareable, /nothing was stored/)
    store["other"] = Object.new
    expect(store).not_to be_frozen
  end

  it "share a store that was made shareable while empty, and shareable values" do
    program = <<~'RUBY'
      STORE = Ractor.make_shareable(Ccache::Store.new(values: :copied))
      ractors = Array.new(3) do |seed|
        Ractor.new(seed) do |seed|
          random = Random.new(seed)
          5000.times do |number|
            key = "key#{random.rand(300)}"
            value = STORE.fetch(key) { ["value", key] }
            raise "wrong: #{value.inspect}" unless value == ["value", key]
            STORE.set(key, ["value", key]) if number % 3 == 0
            STORE.delete(key) if number % 7 == 0
            GC.start if number % 1000 == 0
          end
          :done
        end
      end
      puts ractors.map { |ractor| ractor.respond_to?(:value) ? ractor.value : ractor.take }.inspect
      puts STORE.size == STORE.pin_list.size
      begin
        STORE.set("key", Object.new, values: :shared)
      rescue Ccache::NotShareable => error
        puts error.message[0, 60]
      end
    RUBY
    expect(output_of(program))
      .to eq("[:done, :done, :done]\ntrue\na store that Ractors share takes shareable values only, got \n")
  end
end
