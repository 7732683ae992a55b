# frozen_string_literal: true

require_relative "rails_stores"
require "active_support/core_ext/hash/indifferent_access"

RSpec.describe "The Rails store's options" do
  include RailsStores

  def made(**options)
    ActiveSupport::Cache.lookup_store(:ccache_store, options)
  end

  it "may be none" do
    cache = ActiveSupport::Cache.lookup_store(:ccache_store)
    expect(cache).to be_a(ActiveSupport::Cache::CcacheStore)
    expect(ActiveSupport::Cache.lookup_store([:ccache_store, { expires_in: 5 }]).options).to include(expires_in: 5)
    expect(made(redis: nil, namespace: "app", expires_in: 1.hour, max_entries: 50).write("key", 1)).to be(true)
  end

  it "are those of Ccache::Store, and Rails'" do
    cache = made(max_entries: 2, compress: false, compress_threshold: 100, race_condition_ttl: 5, values: :shared)
    list = []
    cache.write("list", list)
    expect(cache.read("list")).to equal(list)
    5.times { |number| cache.write(number, number) }
    expect(cache.ccache.size).to eq(2)
  end

  it "are refused if they do not exist, with those that do" do
    expect { made(expire: 5) }
      .to raise_error(Ccache::InvalidOption, /unknown option expire; there are namespace, expires_in/)
  end

  it "are refused with a reason if Rails' own stores have them and this one has not" do
    { { pool_size: 5 } => /pool_size: has no meaning here: all threads share/, { pool: { size: 5 } } => /pool: has no/,
      { pool_timeout: 5 } => /pool_timeout: has/, { url: "redis://localhost" } => /url: is redis: here/,
      { read_timeout: 1 } => /read_timeout: belongs into redis:/, { size: 32 } => /size: is max_bytes: here/,
      { serializer: :json } => /serializer: is coder: here/ }.each do |options, message|
      expect { made(**options) }.to raise_error(Ccache::InvalidOption, message)
    end
    expect(made(pool: false)).to be_a(ActiveSupport::Cache::CcacheStore)
  end

  it "are refused with a value that makes no sense" do
    { expires_in: "soon", race_condition_ttl: -1, error_handler: 5, namespace: 5, compress: :gzip, values: :mine,
      lock: "long", max_entries: 0, redis: 5, coder: 5, max_key_size: 38 }.each do |name, value|
      expect { made(name => value) }.to raise_error(Ccache::InvalidOption, /#{name}: takes/)
    end
  end

  it "may be a Hash, as MemoryStore's" do
    expect(ActiveSupport::Cache::CcacheStore.new({ namespace: "app" }).namespace).to eq("app")
  end

  it "may say that there is no coder, which is as without the option" do
    cache = made(coder: nil)
    cache.write("list", [1])
    expect(cache.read("list")).to eq([1])
  end

  it "are not changed" do
    options = { namespace: "app", expires_in: 5, pool: false }.freeze
    expect(made(**options).options).to include(namespace: "app", expires_in: 5)
  end

  it "show neither passwords nor values" do
    cache = made(redis: "redis://:secret@localhost:1/0", namespace: "app", signing_keys: "k" * 16)
    expect(cache.inspect).to start_with("#<ActiveSupport::Cache::CcacheStore #<Ccache::Store")
    expect(cache.inspect).to include("server=redis://localhost:1/0")
    expect(cache.inspect).not_to match(/secret|kkk/)
  end

  it "may be a HashWithIndifferentAccess, as a file of settings gives it" do
    redis = { host: "localhost", port: 1, timeout: 2, ssl_params: { verify_mode: "none" } }
    settings = ActiveSupport::HashWithIndifferentAccess.new(redis: redis, namespace: "app", expires_in: 5)
    found = ActiveSupport::Cache.lookup_store(:ccache_store, settings)
    caches = [made(**settings), found, made(redis: settings[:redis])]
    expect(caches.map(&:inspect)).to all(include("server=rediss://localhost:1/0"))
    expect(caches.first.options).to include(expires_in: 5)
  end
end
