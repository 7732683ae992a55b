# frozen_string_literal: true

require "rails"
require "active_record/railtie"
require "action_controller/railtie"
require "action_view/railtie"
require "ccache"

# A shop's settings: 2,000 rows, which its page needs all. What differs between runs
# stands in the environment.
class RailsApp < Rails::Application
  SERVER = ENV.fetch("APP_REDIS", nil)

  # A busy machine may leave the server waiting for longer than a second.
  PATIENCE = { connect_timeout: 20, read_timeout: 20, write_timeout: 20 }.freeze

  CACHES = {
    "ccache" => [:ccache_store, { redis: SERVER && { url: SERVER, **PATIENCE }, namespace: "app" }],
    "redis" => [:redis_cache_store, { url: SERVER, namespace: "redis" }],
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
