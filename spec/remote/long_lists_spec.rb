# frozen_string_literal: true

require_relative "../rails/rails_stores"

# A call of a C function takes about 16,000 arguments on a fiber's stack, 131,000 on a thread's.
#
# To see red: in lib/ccache/store/remote/reading.rb bring `keys.values_at(*wanted)`.
RSpec.describe "Lists of keys that are longer than a stack" do
  include RailsStores

  let(:in_a_fiber) { Scale.of(20_000, small: 17_000) }

  def pairs(count)
    Array.new(count) { |index| ["key#{index}", 1] }.to_h
  end

  { "in one process" => false, "with a server" => true }.each do |kind, has_server|
    it "are read, written, loaded and removed in a fiber, #{kind}" do
      pairs = pairs(in_a_fiber)
      store = has_server ? remote : Ccache::Store.new
      Fiber.new do
        expect([store.get_multi(*pairs.keys), store.set_multi(pairs).size]).to eq([{}, pairs.size])
        store.forget if has_server
        expect(store.get_multi(*pairs.keys) == pairs).to be(true)
        expect(store.fetch_multi(*pairs.keys) { 2 } == pairs).to be(true)
        expect([store.delete_multi(*pairs.keys), store.get_multi(*pairs.keys)]).to eq([pairs.size, {}])
      end.resume
    end

    it "are so by Rails, #{kind}" do
      pairs = pairs(in_a_fiber)
      options = has_server ? { redis: { url: Servers.shared.url, **RemoteStores::PATIENCE } } : {}
      cache = ActiveSupport::Cache.lookup_store(:ccache_store, namespace: namespace, **options)
      remote_stores << cache.ccache
      Fiber.new do
        cache.write_multi(pairs)
        cache.ccache.forget if has_server
        expect(cache.read_multi(*pairs.keys) == pairs).to be(true)
        expect(cache.fetch_multi(*pairs.keys) { 2 } == pairs).to be(true)
        expect([cache.delete_multi(pairs.keys), cache.read_multi(*pairs.keys)]).to eq([pairs.size, {}])
      end.resume
    end
  end

  it "are read and removed in a thread" do
    store = remote
    keys = pairs(Scale.of(200_000, small: 140_000)).keys
    join(Thread.new { expect([store.get_multi(*keys), store.delete_multi(*keys)]).to eq([{}, 0]) }, within: 300)
  end
end
