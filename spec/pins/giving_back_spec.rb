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
end
