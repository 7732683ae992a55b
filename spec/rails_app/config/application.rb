# frozen_string_literal: true

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "ccache"

# A shop's settings: 2,000 rows, which its page needs all. What differs between runs
# stands in the environment.
class RailsApp < Rails::Application
  CACHES = {
    "ccache" => [:ccache_store, { redis: ENV.fetch("APP_REDIS", nil), namespace: "app" }],
    "redis" => [:redis_cache_store, { url: ENV.fetch("APP_REDIS", nil), namespace: "redis" }],
    "memory" => [:memory_store, { size: 256 * 1024 * 1024 }]
  }.freeze

  config.root = File.expand_path("..", __dir__)
  config.load_defaults 6.1
  config.eager_load = Rails.env.production?
  config.cache_classes = !Rails.env.development?
  config.consider_all_requests_local = true
  config.action_dispatch.show_exceptions = false if Rails.env.test?
  config.action_controller.perform_caching = true
  config.hosts.clear
  config.secret_key_base = "no secret"
  config.cache_store = CACHES.fetch(ENV.fetch("APP_CACHE", "ccache"))
  config.log_level = :info
end
