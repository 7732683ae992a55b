# frozen_string_literal: true

require_relative "rails_stores"

# What an object that answers nothing makes of a fetch or a count: an error of ours, or what the
# block returned; never a NoMethodError.
#
# Red where `nil?`, `is_a?` or `to_i` is asked of a value.
RSpec.describe "The Rails store, given a BasicObject" do
  answers_nothing = BasicObject.new

  calls = {
    "fetch" => ->(cache) { cache.fetch("key") { answers_nothing } },
    "fetch, forced" => ->(cache) { cache.fetch("key", force: true, skip_nil: true) { answers_nothing } },
    "fetch, without nil" => ->(cache) { cache.fetch("key", skip_nil: true) { answers_nothing } },
    "a hit" => ->(cache) { 2.times.map { cache.fetch("key") { answers_nothing } }.last },
    "fetch_multi" => ->(cache) { cache.fetch_multi("key", "other") { answers_nothing } },
    "write" => ->(cache) { cache.write("key", answers_nothing) },
    "increment" => ->(cache) { cache.write("key", answers_nothing) && cache.increment("key", expires_in: 60) },
    "read_counter" => ->(cache) { cache.write("key", answers_nothing) && cache.read_counter("key") }
  }

  [{}, { values: :shared }, { values: :fresh }, { redis: Servers.shared.url(6) }].each do |options|
    calls.each do |name, call|
      it "has no NoMethodError for #{name}: #{options.slice(:values).values.first || options.keys.first}" do
        cache = ActiveSupport::Cache.lookup_store(:ccache_store, namespace: "odd", **options)
        cache.clear
        expect do
          call.call(cache)
        rescue Ccache::Error
          nil # ours
        end.not_to raise_error
        cache.clear
      end
    end
  end
end
