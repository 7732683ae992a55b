# frozen_string_literal: true

require "logger"
require "stringio"
require "active_support"
require "active_support/cache"
require "active_support/core_ext/numeric/time"
require "active_support/testing/time_helpers"

# Stores as a Rails app has them, of each kind: what Rails asks of its stores holds for
# all, or it is said for which.
module RailsStores
  include ActiveSupport::Testing::TimeHelpers

  # Plain data of an app's own.
  Record = Struct.new(:id, :tags)

  KINDS = { "in one process" => {}, "in one process, values: :fresh" => { values: :fresh },
            "with a server" => { redis: true },
            "with a server, values: :fresh" => { redis: true, values: :fresh } }.freeze
  LOCAL = KINDS.reject { |_, settings| settings[:redis] }.keys.freeze
  REMOTE = (KINDS.keys - LOCAL).freeze
  FRESH = KINDS.select { |_, settings| settings[:values] }.keys.freeze
  SHARING = (KINDS.keys - FRESH).freeze

  # What a group of examples is extended by.
  module Group
    # The same examples for stores of each of these kinds.
    def for_stores(kinds = KINDS.keys, &examples)
      kinds.each do |kind|
        context kind do
          let(:settings) { KINDS.fetch(kind) }
          class_exec(&examples)
        end
      end
    end
  end

  def self.included(group)
    group.extend(Group)
    group.subject(:cache) { rails_store }
    group.after { travel_back }
  end

  # A store as config.cache_store makes it, of this example's kind and namespace.
  def rails_store(**options)
    options = { namespace: namespace, **settings, **options }
    redis = options[:redis] == true ? Servers.shared.url : options[:redis]
    options[:redis] = RemoteStores.patient(redis) if redis
    ActiveSupport::Cache.lookup_store(:ccache_store, options).tap { |cache| remote_stores << cache.ccache }
  end

  # Events of these names, as they end.
  def events(pattern = /\Acache_.*\.active_support\z/)
    seen = []
    subscriber = ActiveSupport::Notifications.subscribe(pattern) do |*args|
      seen << ActiveSupport::Notifications::Event.new(*args)
    end
    yield
    seen
  ensure
    ActiveSupport::Notifications.unsubscribe(subscriber)
  end

  # What the block writes to the log.
  def logged(level = Logger::DEBUG)
    before = ActiveSupport::Cache::Store.logger
    ActiveSupport::Cache::Store.logger = Logger.new(log = StringIO.new, level: level)
    yield
    log.string
  ensure
    ActiveSupport::Cache::Store.logger = before
  end

  # How often the server ran each command while the block ran.
  def commands(*names)
    before = names.map { |name| Servers.shared.calls(name) }
    yield
    names.zip(before).to_h { |name, count| [name, Servers.shared.calls(name) - count] }
  end
end
