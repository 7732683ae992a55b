# frozen_string_literal: true

module Ccache
  module RailsStore
    # What a store is made with, parted into what Rails' class takes, what
    # {Ccache::Store} takes, and what neither does.
    class Options
      # Kept by Rails' class, as defaults of each call.
      OF_RAILS = %i[namespace expires_in expire_in expired_in race_condition_ttl skip_nil version raw lock].freeze
      # Of Rails 8.1, which alone has it taken out of the defaults by Rails' class.
      OF_NAMING = %i[max_key_size].freeze
      # Given to Ccache::Store as they are.
      OF_CCACHE = (Ccache::Store::OPTIONS.keys - %i[namespace expires_in compress compress_from]).freeze
      OWN = %i[compress compress_threshold error_handler].freeze
      ALL = [*OF_RAILS, *OF_NAMING, *OF_CCACHE, *OWN].freeze
      COMPRESS = { true => :zstd, false => :none }.freeze

      IN_REDIS = "belongs into redis:, as in redis: { url: …, connect_timeout: 1 }"
      NO_POOL = "has no meaning here: all threads share a few connections, none waits for another one's; leave it out"
      # Options of Rails' own stores that have another name here, or no meaning.
      REFUSED = {
        pool: NO_POOL, pool_size: NO_POOL, pool_timeout: NO_POOL,
        url: "is redis: here", size: "is max_bytes: here",
        max_prune_time: "has no meaning here: nothing is pruned in a caller's time",
        serializer: "is coder: here, an object that dumps and loads values", compressor: "is compress: here",
        **(ServerOptions::KEYS - [:url]).to_h { |name| [name, IN_REDIS] },
        reconnect_attempts: "has no meaning here: what failed is tried again by itself, after 50 ms to 2 s"
      }.freeze

      # What is called with values without the wrapper. No closure: that would keep `redis:`
      # with its password for as long as the store lives.
      class Bare
        def initialize(callable, has_hashes)
          @callable = callable
          @has_hashes = has_hashes
          freeze
        end

        def call(key, value, *cause)
          @callable.call(key, Item.bare(value, @has_hashes), *cause)
        end
      end
      private_constant :Bare

      attr_reader :of_rails, :of_ccache, :error_handler
      # @return [Integer, false, nil] in bytes; false for any size, nil for Rails' default
      attr_reader :max_key_size

      # @param given [Hash{Symbol => Object}]
      # @raise [InvalidOption]
      def initialize(given)
        # Without a pool, and without a coder of one's own: that is how it is here.
        given = OptionNames.symbols(given)
        given = given.reject { |name, value| (name == :pool && !value) || (name == :coder && value.nil?) }
        refuse(given)
        check(given)
        @error_handler = given.fetch(:error_handler, Failsafe::LOG)
        # Live objects are not compressed; what goes to the server is, by Ccache::Store.
        @of_rails = { compress: false, **given.slice(*OF_RAILS, *(OF_NAMING if Version::CUTS_KEYS)).compact }
        @max_key_size = given[:max_key_size]
        @of_ccache = { **given.slice(*OF_CCACHE), **server_options(given), **callbacks(given) }
      end

      # @return [Boolean]
      def server?
        !@of_ccache[:redis].nil?
      end

      # @return [Boolean] whether the server's bytes are Marshal's
      def marshal?
        @of_ccache.fetch(:coder, :marshal) == :marshal
      end

      # @return [Boolean] whether the server's coder knows no classes, so that items are Hashes
      def hashes?
        server? && !marshal?
      end

      # @return [Symbol]
      def values
        @of_ccache[:values]
      end

      private

      def refuse(given)
        name = given.keys.find { |key| REFUSED.key?(key) }
        raise InvalidOption, "#{name}: #{REFUSED.fetch(name)}" if name

        unknown = given.keys - ALL
        raise InvalidOption.unknown(unknown, ALL) unless unknown.empty?
      end

      def check(given)
        given.slice(:expires_in, :expire_in, :expired_in, :lock).compact.each do |name, seconds|
          Seconds.of_life(seconds, name)
        end
        Naming.check_size(given[:max_key_size])
        ttl = given[:race_condition_ttl]
        Seconds.to_nanoseconds(ttl, :race_condition_ttl) if ttl
        Callable.check(:error_handler, given[:error_handler], "call(method:, returning:, exception:)")
      end

      # Those that are given values get them without the wrapper.
      def callbacks(given)
        has_hashes = given[:redis] && given.fetch(:coder, :marshal) != :marshal
        given.slice(:weigher, :on_evict).compact.transform_values do |callable|
          next callable unless callable.respond_to?(:call) # which Ccache::Store refuses

          Bare.new(callable, has_hashes)
        end
      end

      def server_options(given)
        compress = given.fetch(:compress, true)
        { values: given[:values] || :auto, namespace: server_namespace(given[:namespace]),
          compress: COMPRESS.fetch(compress, compress), compress_from: given[:compress_threshold] }.compact
      end

      # A namespace that is asked for at each call stands in the keys alone.
      def server_namespace(namespace)
        return if namespace.nil? || namespace.respond_to?(:call)
        return namespace.to_s if namespace.is_a?(String) || namespace.is_a?(Symbol)

        raise InvalidOption.for(:namespace, namespace, "a String, a Symbol, or a Proc that returns one")
      end
    end
  end
end
