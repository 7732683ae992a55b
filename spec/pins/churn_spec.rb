# frozen_string_literal: true

RSpec.describe Ccache::Store, "churned by 16 threads" do
  let(:max_entries) { 1_000 }
  let(:max_bytes) { 150_000 }

  it "keeps its bounds within 2 %, its pins and its books, whatever on_evict: raises" do
    told = Thread::Queue.new
    store = described_class.new(
      max_entries: max_entries, max_bytes: max_bytes, weigher: ->(_key, value) { value.last.bytesize },
      on_event: ->(name, _) { told << name },
      on_evict: lambda { |key, value, cause|
        raise "wrong value" unless value.first == key

        told << cause
        raise "broken" if value.last.bytesize.odd?
      }
    )
    churners = Array.new(16) { |seed| Churner.new(store, seed, max_entries, max_bytes) }
    until_time = Process.clock_gettime(Process::CLOCK_MONOTONIC) + Scale.of(60, quick: 8, small: 2)
    join(churners.map { |churner| Thread.new { churner.run(until_time) } }, within: 120)

    expect(churners.sum(&:wrong)).to eq(0)
    expect(churners.map(&:excess).max).to be_between(Scale.small? ? 0.01 : 0.5, 1.02)
    Ccache::Testing.validate(store)
    store.clear
    Ccache::Testing.validate(store)
    eventually { store.stats.values_at(:entries, :weight, :pins) == [0, 0, 0] }
    expect_everything_told(store.stats, Array.new(told.size) { told.pop }.tally)
  end

  def expect_everything_told(stats, told)
    causes = { size: :evictions, expired: :expirations, replaced: :replacements, deleted: :deletes, cleared: :cleared }
    left = causes.transform_values { |name| stats[name] }
    expect(told.slice(*causes.keys)).to eq(left.reject { |_, count| count.zero? })
    expect(stats[:sets]).to eq(left.values.sum)
    expect(told[:on_evict_failed]).to be > 0
  end
end
