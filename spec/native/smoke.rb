# frozen_string_literal: true

# Run by installed_spec.rb, where the gem is installed and nothing to build it with is:
# each part of the native extension once, with no test library.
require "ccache"
require_relative "../support/servers"

CHECKS = [] # rubocop:disable Style/MutableConstant -- those that passed

def check(what, passed)
  passed ? CHECKS << what : abort("not so: #{what}")
end

def in_this_process
  store = Ccache::Store.new(max_entries: 1000, expires_in: 3600)
  value = store.fetch("key") { ["value"] }
  GC.start
  GC.compact
  check("a read gives the same object", store.get("key").equal?(value))
  check("a tag is not modified", store.get("key", if_none_match: store.etag("key")) == Ccache::NOT_MODIFIED)
  5000.times { |number| store[number.to_s] = "value #{number}" }
  check("the store is bounded", store.size <= 1000)
  check("a copy is frozen", store.set("list", %w[a b], values: :copied) && store.get("list").all?(&:frozen?))
  threads = Array.new(4) { Thread.new { 1000.times.sum { store.fetch("shared") { 1 } } } }
  check("threads share a load", threads.sum(&:value) == 4000)
  check("a forked child reads", Process.wait2(fork { exit!(store.get("list") == %w[a b]) }).last.success?)
end

def with_a_server(server)
  options = { redis: server.url, namespace: "smoke" }
  first, second = Array.new(2) { Ccache::Store.new(**options) }
  long = "long " * 10_000
  tag = first.set("key", long)
  check("another store reads it", second.get("key") == long)
  check("it is validated", second.get("key", if_none_match: tag) == Ccache::NOT_MODIFIED)
  check("it is compressed", server.command("STRLEN", "smoke:key") < long.size / 10)
  second.set("key", "newer")
  check("nothing stale is read", first.get("key") == "newer")
  check("an old tag is refused", refused?(first, tag))
  check("numbers are counted", second.increment("count", 5) == 5 && first.increment("count") == 6)
  signed = { **options, namespace: "signed", signing_keys: ["0123456789abcdef" * 2], compress: :lz4 }
  Ccache::Store.new(**signed).set("key", long)
  check("what is signed, and compressed with LZ4, is read", Ccache::Store.new(**signed).get("key") == long)
end

def refused?(store, tag)
  store.set("key", "other", if_match: tag) && false
rescue Ccache::PreconditionFailed
  true
end

def without_a_server
  Ccache::Store.new(redis: "rediss://127.0.0.1:1/0").get("key")
rescue Ccache::ConnectionError
  check("TLS says who does not answer", true)
end

check("the gem is used, and not a checkout", Gem.loaded_specs.fetch("ccache").full_gem_path.start_with?(Gem.dir))
check("it has none of the specs' parts", !defined?(Ccache::Testing))
in_this_process
server = Server.new
begin
  with_a_server(server)
ensure
  server.stop
end
without_a_server
puts "#{CHECKS.size} checks with #{RUBY_VERSION}, #{$LOADED_FEATURES.grep(/ccache\.so/).first[%r{lib/.*}]}"
