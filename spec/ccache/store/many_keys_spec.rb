# frozen_string_literal: true

RSpec.describe Ccache::Store, "with many keys at once" do
  subject(:store) { described_class.new }

  before { store.set_multi({ "a" => 1, b: nil }) }

  it "gets those that are there, under the keys as they were given" do
    expect(store.get_multi(:a, "b", "none")).to eq(:a => 1, "b" => nil)
    expect(store.get_multi).to eq({})
  end

  it "sets all and returns their tags" do
    tags = store.set_multi({ "c" => 3, d: 4 }, expires_in: 60)
    expect(tags).to eq("c" => store.etag("c"), d: store.etag("d"))
    expect(store.entry("c").expires_at).not_to be_nil
  end

  it "fetches all and loads those that are missing one by one" do
    loaded = []
    values = store.fetch_multi("a", "c", :d) { |key| loaded << key and key.to_s * 2 }
    expect(values).to eq("a" => 1, "c" => "cc", d: "dd")
    expect(loaded).to eq(["c", :d])
    expect(store["d"]).to eq("dd")
  end

  it "deletes all and says how many there were" do
    expect(store.delete_multi("a", :b, "none")).to eq(2)
    expect(store.size).to eq(0)
  end

  it "deletes those that match a pattern, and says how many there were" do
    store.set_multi({ "list/1" => 1, "list/2" => 2, "list*" => 3, ".list" => 4 })
    expect(store.delete_matched("list/[^1]")).to eq(1)
    expect(store.delete_matched("list\\*")).to eq(1)
    expect(store.delete_matched("*list*")).to eq(2)
    expect(store.delete_matched("?")).to eq(2)
    expect(store.delete_matched("*")).to eq(0)
  end

  it "does nothing at all when one key or value is bad", :mistyped do
    expect { store.set_multi({ "c" => 1, 3 => 1 }) }.to raise_error(Ccache::InvalidKey)
    expect { store.set_multi({ "c" => 1, "d" => proc {} }, values: :copied) }.to raise_error(Ccache::InvalidValue)
    expect { store.set_multi([1]) }.to raise_error(Ccache::InvalidOption, /Hash/)
    expect { store.delete_multi("a", 3) }.to raise_error(Ccache::InvalidKey)
    expect { store.delete_matched(/a/) }.to raise_error(Ccache::InvalidOption, /pattern/)
    expect(store.keys).to contain_exactly("a", "b")
  end

  it "lists keys and goes through keys and values" do
    expect(store.keys).to contain_exactly("a", "b")
    expect(store.each.to_a).to contain_exactly(["a", 1], ["b", nil])
    expect(store.each.size).to eq(2)
    expect(store.each { nil }).to be(store)
  end

  it "goes through the entries that were there when it began, whatever the block does" do
    100.times { |number| store["key#{number}"] = "value #{number}" }
    seen = store.each.with_object({}) do |(key, value), all|
      store.clear
      store[key] = "changed"
      GC.start if all.size == 50
      all[key] = value
    end
    expect(seen.size).to eq(102)
    expect(seen["key7"]).to eq("value 7")
  end

  it "leaves the walk when the block breaks, raises or throws" do
    expect(store.each { |key, _| break key }).to eq("a").or eq("b")
    expect { store.each { raise IOError } }.to raise_error(IOError)
    expect(catch(:out) { store.each { throw :out, 7 } }).to eq(7)
    expect(store.size).to eq(2)
  end

  it "keeps nothing pinned for a walk that was left or abandoned" do
    stores = Array.new(Garbage::MANY) { described_class.new }
    stores.each do |store|
      100.times { |number| store["key#{number}"] = Object.new }
      store.each { break }
    end
    elsewhere { stores.each { |store| store.each.next } && nil }
    stores.each(&:clear)
    expect(collect_until { stores.count { |store| store.pin_list.size.positive? } <= Garbage::STRAYS }).to be(true)
  end

  it "counts neither keys nor each nor key? as reads" do
    store.keys
    store.each.to_a
    store.key?("a")
    expect(store.stats).to include(hits: 0, misses: 0)
  end
end
