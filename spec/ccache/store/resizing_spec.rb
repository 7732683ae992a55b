# frozen_string_literal: true

RSpec.describe Ccache::Store, "#resize" do
  let(:count) { Scale.of(20_000, small: 500) }

  def filled(**options)
    described_class.new(**options).tap do |store|
      count.times { |number| store[number.to_s] = "value #{number}" }
    end
  end

  it "evicts what no longer fits, and keeps what does" do
    told = 0
    store = filled(max_entries: count, on_evict: ->(*, cause) { told += 1 if cause == :size })
    expect(store.resize(max_entries: count / 10)).to be(store)
    expect(store.stats).to include(entries: count / 10, pins: count / 10, evictions: told)
    expect(store.keys).to all(satisfy { |key| store[key] == "value #{key}" })
    expect(store.inspect).to include("max_entries=#{count / 10}")
  end

  it "gives the map's memory and the segments of the pins back" do
    store = filled(max_entries: nil)
    full = store.stats
    store.resize(max_entries: count / 100)
    expect(store.stats).to include(segments: be <= (count / 100 / 64) + 2, bytes: be < full[:bytes] / 5)
    GC.start
    expect(store.keys.map { |key| store[key] }).to eq(store.keys.map { |key| "value #{key}" })
  end

  it "moves no etag, age or lifetime" do
    store = described_class.new(max_entries: nil)
    count.times { |number| store.set(number.to_s, "value #{number}", expires_in: 3600) }
    etags = store.keys.to_h { |key| [key, store.etag(key)] }
    store.resize(max_entries: count / 100)
    now = Time.now
    entries = store.keys.to_h { |key| [key, store.entry(key)] }
    expect(entries).to all(satisfy { |key, entry| entry.etag == etags[key] })
    expect(entries.values.map(&:expires_at)).to all(be_between(now, now + 3600))
    expect(store.stats).to include(sets: count, hits: count / 100)
  end

  it "leaves the bound that it does not name" do
    store = described_class.new(max_entries: 10, max_bytes: 1000)
    store.resize(max_bytes: 500)
    expect(store.inspect).to include("max_entries=10 max_bytes=500")
    store.resize(max_entries: nil)
    expect(store.inspect).to match(/entries=0 max_bytes=500 /)
  end

  it "loses no bound that another thread changes at the same time" do
    store = described_class.new(max_entries: 10, max_bytes: 1000)
    Scale.of(200, small: 20).times do |number|
      changes = [{ max_entries: number + 1 }, { max_bytes: number + 1 }]
      join(changes.map { |change| Thread.new { store.resize(**change) } })
      expect(store.inspect).to include("max_entries=#{number + 1} max_bytes=#{number + 1} ")
    end
  end

  it "bounds a store that had no bound, and counts its uses from then on" do
    store = filled(max_entries: nil)
    expect(store.hottest(1)).to eq({})
    store.resize(max_entries: count)
    3.times { store["7"] }
    expect(store.hottest(1).keys).to eq(["7"])
    store["another"] = 1
    expect(store.size).to eq(count)
  end

  it "goes on while others read and write" do
    store = filled(max_entries: count)
    stop = false
    others = Array.new(3) do |thread|
      Thread.new do
        numbers = Random.new(thread)
        until stop
          key = numbers.rand(count).to_s
          raise "wrong value" unless [nil, "value #{key}"].include?(store[key])

          store[key] = "value #{key}"
        end
      end
    end
    bounds = [count / 50, count, 10, count / 2]
    bounds.each { |bound| store.resize(max_entries: bound) }
    stop = true
    join(others)
    expect(store.size).to be <= bounds.last
    expect(store.stats[:pins]).to eq(store.size)
  end

  it "refuses what is no bound, and changes nothing then" do
    store = described_class.new(max_entries: 10)
    [0, -1, 1.5, "5"].each do |bad|
      expect { store.resize(max_entries: bad) }.to raise_error(Ccache::InvalidOption, /max_entries: takes an Integer/)
    end
    expect { store.resize(max_entries: 5, max_bytes: 100) }
      .to raise_error(Ccache::InvalidOption, /max_bytes: takes nil in a store that was made without max_bytes:/)
    expect(store.inspect).to include("max_entries=10")
    store.close
    expect { store.resize(max_entries: 1) }.to raise_error(Ccache::ClosedError)
  end
end

RSpec.describe Ccache::Store, "#hottest" do
  it "names the keys that were used most, with how often" do
    store = described_class.new(max_entries: 100)
    { "never" => 0, "once" => 1, "often" => 3 }.each do |key, reads|
      store[key] = key
      reads.times { store[key] }
    end
    expect(store.hottest(2).keys).to eq(%w[often once])
    expect(store.hottest(9).keys).to eq(%w[often once never])
    expect(store.hottest(9).values).to all(be_between(0, 18))
    expect { store.hottest(-1) }.to raise_error(Ccache::InvalidOption, /count: takes an Integer from 0, got -1/)
  end
end

RSpec.describe Ccache::Store, "without a bound given" do
  it "has the default one; nil is none" do
    expect(described_class.new.inspect).to include("max_entries=100000")
    expect(described_class.new(max_bytes: 5).inspect).to match(/entries=0 max_bytes=5 /)
    expect(described_class.new(max_entries: nil).inspect).to match(/entries=0 values/)
  end
end
