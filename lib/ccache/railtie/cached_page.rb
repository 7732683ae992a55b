# frozen_string_literal: true

module Ccache
  class Railtie < ::Rails::Railtie
    # A page that a controller makes of entries of `Rails.cache`, and its tag.
    #
    # @api private
    class CachedPage
      # @param keys [Array]
      # @param etags [Array] what else the tag is made of
      # @param options [Hash] for the controller's etaggers
      def initialize(controller, keys, etags, **options)
        @controller = controller
        @keys = keys
        @etags = etags
        @options = options
        @condition = IfNoneMatch.parse(controller.request.if_none_match) if conditional?(controller.request)
      end

      # Gives the response its tag.
      #
      # @return [Array, nil] what to make the page of; nil if the client has it
      def values_unless_held
        return from_cache(:read) unless ::Rails.cache.respond_to?(:page_tag)
        return if @condition && held?(from_cache(:page_tag))

        tags, values = from_cache(:page_entry).transpose
        values unless held?(tags)
      end

      private

      def from_cache(method)
        @keys.map { |key| ::Rails.cache.public_send(method, key) }
      end

      def conditional?(request)
        (request.get? || request.head?) && request.if_none_match
      end

      # Whether the client has the page of these tags; without all of them there is none.
      def held?(tags)
        response = @controller.response
        if tags.include?(nil)
          response.delete_header("ETag")
          return false
        end

        look_up_variant
        response.weak_etag = @controller.send(:combine_etags, [PageTag.of(tags), *@etags], @options)
        !@condition.nil? && @condition.match?(response.etag)
      end

      # Rails looks for the variant's template, and digests it, only when it renders.
      def look_up_variant
        variant = @controller.request.variant
        @controller.lookup_context.variants = variant if variant.present? && @controller.respond_to?(:lookup_context)
      end
    end
  end
end
