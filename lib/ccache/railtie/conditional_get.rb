# frozen_string_literal: true

require_relative "cached_page"

module Ccache
  class Railtie < ::Rails::Railtie
    # In controllers: `304 Not Modified` from the tags of what `Rails.cache` holds. A 304
    # brings no value from the server, decodes none, and renders nothing.
    #
    # The page's tag is made of the entries' and of all that Rails' own `fresh_when` adds:
    # the template's digest, so that a deploy that changes the view changes it, the flash,
    # and the controller's `etag { … }` blocks. `expires_in` works beside it as always.
    #
    # If-None-Match is read as RFC 9110 says (see {IfNoneMatch}), for GET and HEAD alone.
    # If-Modified-Since is not looked at. Where an entry is missing, or `Rails.cache` is no
    # CcacheStore, as in tests, the page is made, and has no tag of ours.
    module ConditionalGet
      # Renders nothing if the client has the page that is made of these entries.
      #
      # What it returns was read together with the page's tag: make the page of that. A
      # read of its own may give a later value, with which this tag has nothing to do.
      #
      # @example
      #   def show
      #     @settings = fresh_when_cached("settings")
      #   end
      #
      # @param keys [Array] as for `Rails.cache.read`
      # @param options [Hash] as for {#stale_cached?}
      # @return [Object, Array, nil] the value, or the values if there are several keys; nil
      #   where there is none, and if the client has the page
      def fresh_when_cached(*keys, **options)
        read = nil
        stale_cached?(*keys, **options) { |*values| read = keys.one? ? values.first : values }
        read
      end

      # Whether the client needs the page, which the block then makes.
      #
      # @example
      #   def show
      #     stale_cached?("settings", public: true) do |settings|
      #       render json: settings
      #     end
      #   end
      #
      # @param keys [Array] as for `Rails.cache.read`
      # @param etag [Object, nil] what else the page depends on, as for Rails' `stale?`
      # @param template [String, false, nil] as for Rails' `stale?`
      # @param public [Boolean] whether shared caches may keep the page
      # @yieldparam values [Array] one for each key, read together with the page's tag; nil
      #   where there is none
      # @return [Boolean]
      def stale_cached?(*keys, etag: nil, template: nil, public: false)
        raise ArgumentError, "stale_cached? needs the key of a cached entry" if keys.empty?

        page = CachedPage.new(self, keys, [*etag], template: template, public: public, last_modified: nil)
        response.cache_control[:public] = true if public
        values = page.values_unless_held
        return head(:not_modified) && false unless values

        yield(*values) if block_given?
        true
      end
    end
  end
end
