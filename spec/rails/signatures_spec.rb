# frozen_string_literal: true

require_relative "rails_stores"
require "active_support/cache/memory_store"
require "active_support/cache/ccache_store"
begin
  require "active_support/cache/redis_cache_store"
rescue LoadError # the redis gem is not installed
  nil
end

# What Rails' own stores understand, this one does too; or it stands here, with the reason.
RSpec.describe "The Rails store beside Rails' own" do
  include RailsStores

  stores = [ActiveSupport::Cache::MemoryStore]
  stores << ActiveSupport::Cache::RedisCacheStore if defined?(Redis)

  no_client = "there is no client of the redis gem: Ccache::Store has its own connections"
  no_local_cache = "there is no cache per request, see docs/rails.md"
  omitted = { prune: "the bounds hold at every moment", pruning?: "the bounds hold at every moment",
              synchronize: "there is no lock around the store",
              redis: no_client, redis_options: no_client, mget_capable?: no_client, mset_capable?: no_client,
              max_key_bytesize: "it is max_key_size:, an option, since Rails 8.1",
              middleware: no_local_cache, local_cache: no_local_cache, new_local_cache: no_local_cache,
              unset_local_cache: no_local_cache }

  # Those of all versions of Rails.
  options = { namespace: "app", compress: false, compress_threshold: 100, expires_in: 5, expire_in: 5, expired_in: 5,
              race_condition_ttl: 5, coder: nil, skip_nil: true, raw: true, max_key_size: 250, pool: false,
              error_handler: nil, redis: nil }
  refused = { serializer: :marshal, compressor: Zlib, url: "redis://localhost", size: 5, max_prune_time: 1,
              pool_size: 1, pool_timeout: 1, reconnect_attempts: 1 }

  def takes_keywords?(parameters)
    parameters.any? { |kind, name| %i[keyrest rest].include?(kind) || (kind == :opt && name.to_s.end_with?("options")) }
  end

  def positional(parameters)
    parameters.count { |kind, _| %i[req opt].include?(kind) }
  end

  stores.each do |store|
    (store.public_instance_methods - Object.public_instance_methods - omitted.keys).sort.each do |name|
      it "has #{store.name.demodulize}##{name} with its parameters" do
        theirs = store.instance_method(name).parameters
        ours = ActiveSupport::Cache::CcacheStore.public_instance_method(name).parameters
        expect(ours.count { |kind, _| kind == :req }).to eq(theirs.count { |kind, _| kind == :req })
        expect(positional(ours)).to be >= positional(theirs)
        expect(takes_keywords?(ours)).to be(true) if takes_keywords?(theirs)
      end
    end

    it "takes each option of #{store.name.demodulize}, or says why not" do
      named = store.instance_method(:initialize).parameters.filter_map { |kind, name| name if kind == :key }
      expect(named + ActiveSupport::Cache::UNIVERSAL_OPTIONS - options.keys - refused.keys).to eq([])
    end
  end

  it "lacks what it leaves out" do
    expect(omitted.keys & ActiveSupport::Cache::CcacheStore.public_instance_methods).to eq([])
  end

  it "is made with each option that it takes, and refuses the others with a reason" do
    options.each do |name, value|
      expect(ActiveSupport::Cache.lookup_store(:ccache_store, name => value).read("key")).to be_nil
    end
    refused.each do |name, value|
      expect { ActiveSupport::Cache.lookup_store(:ccache_store, name => value) }
        .to raise_error(Ccache::InvalidOption, /#{name}: (is|has)/)
    end
  end

  for_stores do
    it "takes options after the name of a counter, or after the amount" do
      [->(*args, **given) { cache.increment(*args, **given) }, ->(*args, given) { cache.increment(*args, given) },
       ->(*args, **given) { -cache.decrement(*args, **given) }].each_with_index do |count, number|
        key = "count#{number}"
        sums = [count.call(key, expires_in: 60), count.call(key, 5, expires_in: 60)]
        expect([*sums, count.call(key, namespace: "other")]).to eq([1, 6, 1])
        expect(cache.ccache.entry(key).expires_at).to be_between(Time.now, Time.now + 60)
      end
      expect([cache.increment("plain"), cache.increment("plain", 2), cache.decrement("plain", 4)]).to eq([1, 3, -1])
    end

    it "takes options as keywords or as a Hash wherever Rails does" do
      [->(name, *args, **given, &block) { cache.public_send(name, *args, **given, &block) },
       ->(name, *args, **given, &block) { cache.public_send(name, *args, given, &block) }].each do |call|
        given = { namespace: "given" }
        call.call(:write, "key", 1, **given, expires_in: 60)
        expect(call.call(:read, "key", **given)).to eq(1)
        expect(call.call(:fetch, "key", **given) { raise "not run" }).to eq(1)
        expect(call.call(:read_multi, "key", **given)).to eq("key" => 1)
        expect(call.call(:fetch_multi, "key", **given) { raise "not run" }).to eq("key" => 1)
        call.call(:write_multi, { "second" => 2 }, **given)
        expect([call.call(:exist?, "second", **given), call.call(:exist?, "second")]).to eq([true, false])
        expect([call.call(:delete, "second", **given), call.call(:delete_multi, ["key"], **given)]).to eq([true, 1])
        call.call(:write, "key", 1, **given)
        expect(call.call(:delete_matched, "k*", **given)).to eq(1)
        expect([call.call(:cleanup, **given), call.call(:clear, **given)]).to eq([nil, 0])
      end
    end

    it "loads all anew by fetch_multi with force:" do
      cache.write_multi({ "a" => 1, "b" => 2 })
      expect(cache.fetch_multi("a", "b", force: true, skip_nil: true) { |name| name == "a" ? 3 : nil })
        .to eq("a" => 3, "b" => nil)
      expect(cache.read_multi("a", "b")).to eq("a" => 3, "b" => 2)
    end

    it "reads and writes counters by name" do
      cache.write_counter("count", "5", expires_in: 60)
      expect([cache.increment("count"), cache.read_counter("count"), cache.read_counter("none")]).to eq([6, 6, nil])
    end

    it "has the namespace for all that follows" do
      cache.write("key", 1)
      before = cache.namespace
      cache.namespace = "another"
      expect([cache.namespace, cache.read("key")]).to eq(["another", nil])
      cache.namespace = before
      expect(cache.read("key")).to eq(1)
    end

    it "cuts names that are longer than max_key_size:, and keeps them apart" do
      cache = rails_store(max_key_size: 100)
      names = ["#{"é" * 200}1", "#{"é" * 200}2", "short"]
      cache.write_multi(names.to_h { |name| [name, name] })
      expect(cache.read_multi(*names)).to eq(names.to_h { |name| [name, name] })
      expect(names.map { |name| cache.read(name) }).to eq(names)
      expect(cache.ccache.keys.map { |key| "#{namespace}:#{key}".bytesize }).to all(be <= 100)
    end

    it "cuts no name with max_key_size: false" do
      cache = rails_store(max_key_size: false)
      cache.write(name = "k" * 5000, 1)
      expect([cache.read(name), cache.ccache.keys]).to eq([1, [name]])
    end
  end
end
