# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's events" do
  include RailsStores

  # Rails names the key with its namespace since 7.1, before that as the caller did.
  def named(key)
    ActiveSupport.gem_version >= Gem::Version.new("7.1") ? "#{namespace}:#{key}" : key
  end

  def summary(events)
    events.map { |event| [event.name[/_(.*)\.active_support/, 1], event.payload.slice(:hit, :super_operation)] }
  end

  for_stores do
    it "tell reads, hits and misses" do
      cache.write("key", 1)
      seen = events { cache.read("key", expires_in: 5) && cache.read("none") }
      expect(summary(seen)).to eq([["read", { hit: true }], ["read", { hit: false }]])
      expect(seen.map { |event| event.payload[:key] }).to eq([named("key"), named("none")])
      expect(seen.first.payload)
        .to include(store: "ActiveSupport::Cache::CcacheStore", expires_in: 5, namespace: namespace)
    end

    it "tell what fetch does, in order" do
      expect(summary(events { cache.fetch("key") { 1 } }))
        .to eq([["read", { hit: false, super_operation: :fetch }], ["generate", {}], ["write", {}]])
      expect(summary(events { cache.fetch("key") { raise "not run" } }))
        .to eq([["read", { hit: true, super_operation: :fetch }], ["fetch_hit", {}]])
      expect(summary(events { cache.fetch("nil", skip_nil: true) { nil } }).map(&:first)).to eq(%w[read generate])
    end

    it "tell many keys at once" do
      cache.write("b", 1)
      seen = events { cache.fetch_multi("a", "b") { 1 } }.to_h { |event| [event.name, event.payload] }
      expect(seen.keys).to match_array(%w[cache_read_multi.active_support cache_write_multi.active_support])
      expect(seen["cache_read_multi.active_support"]).to include(super_operation: :fetch_multi)
      expect(seen["cache_read_multi.active_support"].values_at(:key, :hits).map(&:size)).to eq([2, 1])
      expect(events { cache.read_multi("a", "c") }.first.payload[:hits].size).to eq(1)
      expect(events { cache.write_multi({ "a" => 1 }) }.first.payload[:key].size).to eq(1)
    end

    it "tell writes, removals and counts" do
      seen = events do
        cache.write("key", 1)
        cache.exist?("key")
        cache.increment("key", 5)
        cache.decrement("key")
        cache.delete("key")
        cache.delete_multi(%w[key])
        cache.delete_matched("key*")
        cache.cleanup
      end
      expect(seen.map { |event| event.name[/_(.*)\.active_support/, 1] })
        .to eq(%w[write exist? increment decrement delete delete_multi delete_matched cleanup])
      expect(seen[2].payload).to include(key: named("key"), amount: 5)
      expect(seen.last.payload).to include(:size)
    end

    it "reach who listens to one of them alone" do
      cache.write("key", 1)
      expect(events("cache_fetch_hit.active_support") { cache.fetch("key") { 1 } }.size).to eq(1)
      expect(events("cache_read.active_support") { cache.fetch("key", expires_in: 1) { 1 } }.size).to eq(1)
      expect(events("cache_write.active_support") { cache.fetch("other") { 1 } }.size).to eq(1)
    end

    it "stand in the log if that wants to know, and nobody is to be silent" do
      read = -> { cache.read("key") && cache.fetch("key") { raise "not run" } }
      cache.write("key", 1)
      expect(logged(&read)).to match(/Cache read: .*key.*Cache read: .*key.*Cache fetch_hit: .*key/m)
      expect(logged(Logger::INFO, &read)).to eq("")
      expect(logged { cache.mute(&read) }).to eq("")
      cache.silence!
      expect([cache.silence?, logged(&read)]).to eq([true, ""])
    end
  end

  for_stores(["in one process"]) do
    # Objects that a thousand hits allocate, less what the measuring itself does.
    def allocated(&read)
      keys = Array.new(1000, "key")
      measured = lambda do |block|
        before = GC.stat(:total_allocated_objects)
        keys.each(&block)
        GC.stat(:total_allocated_objects) - before
      end
      2.times.map { measured[read] - measured[->(key) { key }] }.last
    end

    it "cost nothing where nobody listens: a hit allocates no object" do
      cache.write("key", "value")
      expect(allocated { |key| cache.read(key) }).to eq(0)
      expect(allocated { |key| cache.fetch(key) { raise "not run" } }).to eq(0)
    end

    it "cost less where nobody listens also on the longer way" do
      cache.write("key", "value")
      read = ->(key) { cache.read(key, version: nil) }
      heard = nil
      events("cache_read.active_support") { heard = allocated(&read) }
      expect(allocated(&read)).to be <= heard - 5000 # five objects each
    end
  end
end
