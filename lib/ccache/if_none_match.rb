# frozen_string_literal: true

require "strscan"

module Ccache
  # The If-None-Match header (RFC 9110, 13.1.2): the entity tags of what a client has.
  #
  # Tags are compared weakly (8.8.3.2), so that `W/"a"` is `"a"`. A header that does not
  # follow the grammar is none: the client gets a whole response.
  #
  # @example
  #   Ccache::IfNoneMatch.parse(%(W/"a", "b")).match?(%("a")) # => true
  class IfNoneMatch
    # `opaque-tag`, whatever its weakness: visible characters without the double quote,
    # and bytes from 128 on. `W/` is case-sensitive.
    ENTITY_TAG = %r{(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")}n
    # Between members of a list, which may be empty (5.6.1.2).
    BETWEEN = /[ \t,]*/n
    AFTER_A_MEMBER = /[ \t]*(?:,|\z)/n
    ANY = /\A[ \t]*\*[ \t]*\z/n
    private_constant :ENTITY_TAG, :BETWEEN, :AFTER_A_MEMBER, :ANY

    class << self
      # @param header [String, nil] the field's value; several fields joined by commas
      # @return [IfNoneMatch]
      def parse(header)
        header = header.to_s.b
        header.match?(ANY) ? new(nil) : new(opaque_tags(header) || [])
      end

      # @param entity_tag [String] as in an ETag header
      # @return [String, nil] without its weakness; nil if it is no entity tag
      def opaque(entity_tag)
        entity_tag.b[/\A#{ENTITY_TAG}\z/n, 1]
      end

      private

      # Nil if anything is no entity tag.
      def opaque_tags(header)
        rest = StringScanner.new(header)
        tags = []
        rest.skip(BETWEEN)
        until rest.eos?
          return unless rest.skip(ENTITY_TAG)

          tags << rest[1]
          return unless rest.skip(AFTER_A_MEMBER)

          rest.skip(BETWEEN)
        end
        tags
      end
    end

    # @api private
    def initialize(opaque_tags)
      @opaque_tags = opaque_tags
      freeze
    end

    # @return [Boolean] whether there is nothing that a response could match
    def empty?
      !any? && @opaque_tags.empty?
    end

    # @return [Boolean] whether it is an asterisk, which matches whatever there is
    def any?
      @opaque_tags.nil?
    end

    # @param entity_tag [String, nil] as in an ETag header, of what there is; nil if
    #   there is nothing
    # @return [Boolean] whether the client has it already
    def match?(entity_tag)
      opaque = entity_tag && self.class.opaque(entity_tag)
      !opaque.nil? && (any? || @opaque_tags.include?(opaque))
    end
  end
end
