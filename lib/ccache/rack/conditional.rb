# frozen_string_literal: true

module Ccache
  module Rack
    # Middleware: answers `304 Not Modified` from the tags of entries, without running
    # the application and without the entries' values, if the client has the page that
    # they make.
    #
    # The page's key, or its keys, is what the block returns, or what stands in
    # `env["ccache.key"]` when the request comes here; nil for a page that is not to be
    # looked at. Otherwise the application finds the entries in `env["ccache.entries"]`,
    # a Hash of {Entry} by key, and its response gets the ETag that they make. A page
    # made from these values never has another one's tag, which a read of its own might
    # give it if the key is written meanwhile. Where an entry is missing, or the server
    # does not answer, `env["ccache.entries"]` is nil and the response as it is.
    #
    # A 304 is answered before the application could refuse the request: what is not for
    # everybody belongs behind the middleware that knows who asks.
    #
    # GET and HEAD alone are conditional; a response that has an ETag keeps it.
    #
    # @example
    #   use Ccache::Rack::Conditional, store: STORE, version: RELEASE do |env|
    #     "settings" if env["PATH_INFO"] == "/settings"
    #   end
    #   run ->(env) {
    #     settings = env["ccache.entries"] ? env["ccache.entries"]["settings"].value : load_settings
    #     [200, {}, [render(settings)]]
    #   }
    class Conditional
      # Where a request's env may name the page's key.
      KEY = "ccache.key"
      # Where the application finds the entries.
      ENTRIES = "ccache.entries"

      # @param app [#call]
      # @param store [Store, #etag & #entry]
      # @param version [String, nil] of the code that makes the pages, so that a deploy
      #   changes their tags
      # @param headers [Hash{String => String}] for every page with a tag, as a 304 needs
      #   what the page would have had (RFC 9110, 15.4.5): `Cache-Control`, `Vary`
      # @yieldparam env [Hash]
      # @yieldreturn [String, Symbol, Array, nil] the key or keys
      # @raise [InvalidOption]
      def initialize(app, store:, version: nil, headers: {}, &key)
        raise InvalidOption.for(:version, version, "a String or nil") unless version.nil? || version.is_a?(String)

        unless store.respond_to?(:entry) && store.respond_to?(:etag)
          raise InvalidOption.for(:store, store, "a Ccache::Store")
        end

        @app = app
        @store = store
        @version = version
        @headers = headers.dup.freeze
        @key = key || ->(env) { env[KEY] }
        freeze
      end

      # @param env [Hash]
      # @return [Array(Integer, Hash, #each)]
      def call(env)
        keys = %w[GET HEAD].include?(env["REQUEST_METHOD"]) ? [*@key.call(env)] : []
        return @app.call(env) if keys.empty?

        tag = held_tag(env, keys)
        tag ? not_modified(tag) : respond(env, keys)
      end

      private

      # The page's tag, if the client has that page.
      def held_tag(env, keys)
        condition = IfNoneMatch.parse(env["HTTP_IF_NONE_MATCH"])
        return if condition.empty?

        tag = page_tag(keys.map { |key| @store.etag(key) })
        tag if condition.match?(tag)
      rescue *READ_FAILURES
        nil
      end

      def respond(env, keys)
        env[ENTRIES] = entries = read(keys)
        status, headers, body = @app.call(env)
        headers = tagged(headers, page_tag(entries.values.map(&:etag))) if entries && status == 200
        [status, headers, body]
      end

      # All of them, or nil.
      def read(keys)
        entries = keys.to_h { |key| [key, @store.entry(key)] }
        entries unless entries.value?(nil)
      rescue *READ_FAILURES
        nil
      end

      # As in an ETag header; nil if an entry is missing.
      def page_tag(etags)
        PageTag.weak(PageTag.of(etags, @version)) unless etags.include?(nil)
      end

      def not_modified(tag)
        [304, @headers.merge(etag_name => tag), []]
      end

      def tagged(headers, tag)
        names = headers.keys.map { |name| name.to_s.downcase }
        return headers if names.include?("etag")

        headers.merge(@headers.reject { |name, _| names.include?(name.downcase) }, etag_name => tag)
      end

      # Rack 3 takes lower case alone; the middleware of Rack 2 knows this form alone.
      def etag_name
        defined?(::Rack.release) && ::Rack.release.to_i >= 3 ? "etag" : "ETag"
      end
    end
  end
end
