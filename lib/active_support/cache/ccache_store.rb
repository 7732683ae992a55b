# frozen_string_literal: true

begin
  require "active_support"
  require "active_support/cache"
rescue LoadError
  raise LoadError, "the cache store :ccache_store needs Active Support: add `gem \"rails\"` to the Gemfile"
end
require "active_support/core_ext/object/blank" # which the log lines of Rails 7.2 need
require "active_support/notifications"
require "ccache"
require "ccache/rails_store"

# Rails'.
module ActiveSupport
  # Rails'; its look-up finds the store here.
  module Cache
    # `config.cache_store = :ccache_store`: the cache of a Rails app, of live objects.
    #
    # What is read is, by default, the very object that the cache keeps, deeply frozen,
    # if it is plain data (see {Ccache::PlainData}), and a fresh copy of anything else.
    # With `redis:` all processes share what a server has, and no read is ever stale.
    # Everything else is as Rails documents it for its own stores; docs/rails.md says
    # where this one differs.
    #
    # @example In one process
    #   config.cache_store = :ccache_store, { max_entries: 50_000, expires_in: 1.hour }
    # @example With a server
    #   config.cache_store = :ccache_store, { redis: ENV["REDIS_URL"], namespace: "app" }
    class CcacheStore < Store
      include Ccache::Opaque
      include Ccache::RailsStore::Instrumenting
      include Ccache::RailsStore::Merging
      include Ccache::RailsStore::Naming
      include Ccache::RailsStore::Failsafe
      include Ccache::RailsStore::Keeping
      include Ccache::RailsStore::Reading
      include Ccache::RailsStore::Writing
      include Ccache::RailsStore::Racing
      include Ccache::RailsStore::Fetching
      include Ccache::RailsStore::Counting
      include Ccache::RailsStore::Clearing
      include Ccache::RailsStore::Pages

      # @return [Boolean] for recyclable cache keys
      def self.supports_cache_versioning?
        true
      end

      # @return [Ccache::Store] what this store is made of; its keys are names without
      #   the namespace, and some of its values stand in a wrapper
      attr_reader :ccache

      # @param given [Hash, nil] options, as MemoryStore takes them
      # @param options [Hash] those of {Ccache::Store#initialize}, and
      # @option options [String, Symbol, Proc] :namespace as in Rails; a String or Symbol
      #   is the server's namespace, too
      # @option options [Numeric, ActiveSupport::Duration] :expires_in seconds
      # @option options [Numeric] :race_condition_ttl seconds, see {#fetch}
      # @option options [Boolean] :skip_nil
      # @option options [Boolean, Symbol] :compress true (Zstandard), false, `:zstd`,
      #   `:lz4` or `:none`: what is sent to the server; memory holds live objects
      # @option options [Integer] :compress_threshold in bytes
      # @option options [Numeric] :lock seconds, see {Ccache::Store#fetch}
      # @option options [Integer, false] :max_key_size in bytes, of a name with its namespace:
      #   what is longer ends with a digest; false for names of any size
      # @option options [#call, nil] :error_handler called with `method:`, `returning:` and
      #   `exception:` when the server fails; logs and reports by default
      # @raise [Ccache::InvalidOption] with the options that there are
      def initialize(given = nil, **options)
        options = Ccache::RailsStore::Options.new({ **given.to_h, **options })
        super({ **options.of_rails, coder: nil })
        @_error_handler = options.error_handler
        @ccache = Ccache::Store.new(**options.of_ccache)
        _name_keys(@options[:namespace], options.max_key_size)
        _keep_values(options)
      end

      # The entry's etag, for conditional requests: with a server it names the content.
      #
      # @param name [Object] a key, as for `read`
      # @param options [Hash, nil]
      # @return [String, nil] nil if there is no entry, or the server does not answer
      def etag(name, options = nil)
        options = merged_options(options)
        stored = _stored_key(normalize_key(name, options))
        _failsafe(:etag, on: Ccache::RailsStore::Failsafe::READ_FAILURES) do
          next @ccache.etag(stored) if @_has_server

          parts, = _find(stored, {}, _load_of(name, options))
          parts && parts[1]
        end
      end

      # @return [Hash{Symbol => Integer}] see {Ccache::Store#stats}
      def stats
        @ccache.stats
      end

      # There is no cache per request above this one: it would answer with what was true
      # when the request first asked. So the block is run, and that is all.
      #
      # @return [Object] what the block returns
      def with_local_cache
        yield
      end

      # @return [String] never a value or a password
      def inspect
        "#<#{self.class} #{@ccache.inspect} options=#{@options.inspect}>"
      end
    end
  end
end
