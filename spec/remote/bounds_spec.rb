# frozen_string_literal: true

RSpec.describe Ccache::Store, "with a server and bounds" do
  it "weighs what a server brings as it came" do
    writer = remote(compress: :none)
    reader = remote(compress: :none, max_bytes: 1_000_000)
    value = { "text" => "x" * 100 }
    writer["key"] = value
    writer["number"] = 12
    expect(reader.get_multi("key", "number")).to eq("key" => value, "number" => 12)
    expect(reader.stats[:weight]).to eq(Marshal.dump(value).bytesize + 2)
    reader["other"] = value
    expect(reader.stats[:weight]).to eq((2 * Marshal.dump(value).bytesize) + 2)
  end

  it "sees the copies of a server's values leave" do
    told = Thread::Queue.new
    store = remote(max_entries: 2, on_evict: ->(*departed) { told << departed })
    store.set_multi({ "a" => 1, "b" => 2, "c" => 3 })
    expect(told.pop).to match([String, Integer, :size])
    store.delete("c")
    expect(told.pop).to eq(["c", 3, :deleted])
  end
end
