# frozen_string_literal: true

RSpec.describe Ccache::Store, "on_evict:" do
  let(:told) { Thread::Queue.new }
  let(:listener) { ->(key, value, cause) { told << [key, value, cause] } }

  def all_told
    Array.new(told.size) { told.pop }
  end

  it "is told what left, with its value and the cause, before the call ends" do
    store = described_class.new(max_entries: 2, on_evict: listener)
    store["a"] = 1
    store["a"] = 2
    expect(all_told).to eq([["a", 1, :replaced]])
    store["b"] = 3
    store["c"] = 4
    expect(all_told).to match([[eq("a").or(eq("b")), eq(2).or(eq(3)), :size]])
    store.delete("c")
    expect(all_told).to eq([["c", 4, :deleted]])
    store.clear
    expect(all_told).to match([[String, Integer, :cleared]])
  end

  it "is told of what expires, by a thread of the store's own" do
    threads = Thread::Queue.new
    store = described_class.new(on_evict: ->(key, *) { threads << [key, Thread.current] })
    store.set("a", 1, expires_in: 3) # not before this call ends, which would tell it itself
    key, thread = threads.pop
    expect([key, thread.name]).to eq(%w[a ccache-on-evict])
    expect(thread).not_to be(Thread.current)
    expect(store.stats).to include(entries: 0, pins: 0, expirations: 1)
  end

  it "gets a copy of what is kept encoded, and the object otherwise" do
    value = ["value"]
    store = described_class.new(on_evict: listener)
    store["shared"] = value
    store.set("fresh", value, values: :fresh)
    store.delete_multi("shared", "fresh")
    (_, shared,), (_, fresh,) = all_told
    expect(shared).to be(value)
    expect(fresh).to eq(value)
    expect(fresh).not_to be(value)
  end

  it "keeps the objects alive until it was told" do
    survivors = 0
    survives = ->(key, value, _) { survivors += 1 if value == "value #{key}" }
    store = described_class.new(max_entries: 1, on_evict: survives)
    Scale.of(300, small: 30).times do |number|
      store[number.to_s] = "value #{number}"
      GC.start(full_mark: false) if (number % 10).zero?
    end
    expect(survivors).to eq(store.stats[:evictions])
  end

  it "may use the store, and is told of what it takes out itself" do
    store = described_class.new(max_entries: 3, on_evict: lambda { |key, value, cause|
      told << [key, cause]
      store["last"] = key if cause == :size
      store.fetch("other") { value } if cause == :deleted
    })
    10.times { |number| store["key#{number}"] = number }
    store.delete("key9")
    expect(all_told.map(&:last)).to include(:size, :deleted)
    expect(store.stats).to include(entries: be <= 3)
  end

  it "cannot hurt the caller: what it raises is told to on_event:" do
    events = []
    note = ->(name, facts) { events << [name, facts] }
    store = described_class.new(on_evict: ->(*) { raise "broken" }, on_event: note)
    store["a"] = 1
    expect(store.delete("a")).to be(true)
    expect(events).to match([[:on_evict_failed, { key: "a", error: an_object_having_attributes(message: "broken") }]])
  end

  it "warns of what it raises if there is no on_event:" do
    store = described_class.new(on_evict: ->(*) { raise "broken" })
    store["a"] = 1
    # Raised by this suite in the place of a warning.
    expect { store.delete("a") }.to raise_error(/on_evict of .* failed: .*broken/m)
  end

  it "loses nothing when a call that tells is cut short" do
    store = described_class.new(on_evict: ->(key, *) { key == "0" ? throw(:away) : told << key })
    5.times { |number| store[number.to_s] = number }
    catch(:away) { store.clear }
    store["another"] = 1
    store.delete("another")
    expect(all_told).to match_array(%w[1 2 3 4 another])
  end

  it "is told of what is left when the store is closed" do
    store = described_class.new(on_evict: listener)
    store["a"] = 1
    store.close
    expect(all_told).to eq([["a", 1, :cleared]])
  end

  it "is told in a forked child of what left there, by a thread of the child's" do
    store = described_class.new(on_evict: listener)
    store.set("a", 1, expires_in: 4) # long enough to fork before
    status = status_of_fork do
      store.size
      exit!(2) unless told.pop == ["a", 1, :expired]
      store["b"] = 2
      store.delete("b")
      exit!(3) unless told.pop == ["b", 2, :deleted]
    end
    expect(status).to be_success
    expect(told.pop).to eq(["a", 1, :expired])
  end

  it "is for one Ractor" do
    expect { described_class.new(on_evict: listener).freeze }.to raise_error(Ccache::NotShareable, /on_evict/)
  end

  it "must be something that can be called" do
    expect { described_class.new(on_evict: 1) }
      .to raise_error(Ccache::InvalidOption, /on_evict: takes an object with call\(key, value, cause\), or nil, got 1/)
    expect { described_class.new(weigher: 1) }
      .to raise_error(Ccache::InvalidOption, /weigher: takes an object with call\(key, value\)/)
  end
end
