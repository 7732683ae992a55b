# frozen_string_literal: true

# What the process has in memory; /proc is Linux's.
RSpec.describe "Memory of a large store", if: File.exist?("/proc/self/statm") do
  # Keys and values live on, so that nothing grows or shrinks but the store.
  it "goes back to the system, about half of it, when the store is cleared" do
    empty, full, cleared = output_of(<<~RUBY).split.map(&:to_i)
      def pages
        5.times { GC.start }
        puts File.read("/proc/self/statm").split[1]
      end

      keys = Array.new(200_000) { |i| "key:\#{i}" }
      values = keys.map { Object.new }
      store = Ccache::Store.new
      pages
      keys.each_index { |i| store[keys[i]] = values[i] }
      pages
      store.clear
      pages
    RUBY
    expect(full - empty).to be > 4000
    # Segments lie between the entries and go later, with the next GC: their pages stay.
    expect(cleared - empty).to be < (full - empty) * 0.7
  end

  # To see red: keep the stores in an Array, and close none.
  it "is all given back when a bounded store is closed, whatever has passed through it" do
    rounds = Scale.of(20, small: 6)
    sizes = output_of(<<~RUBY).split.map(&:to_i)
      def pass_through(round)
        store = Ccache::Store.new(max_entries: 2000, expires_in: 60)
        10_000.times { |i| store["key \#{round} \#{i}"] = [i] }
        store.close
      end

      #{rounds}.times do |round|
        pass_through(round)
        3.times { GC.start }
        puts Ccache::Testing.malloc_bytes
      end
    RUBY
    # The stack may keep a store for a round.
    growth = sizes.last(3).min - sizes[2]
    # 2,000 entries take some 500 kB.
    expect(growth).to be < 200_000
  end
end
