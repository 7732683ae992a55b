# frozen_string_literal: true

require "digest"
require "active_support/digest"

module Ccache
  module RailsStore
    # Rails' keys, "namespace:name", as keys of {Ccache::Store}, which has the store's own
    # namespace by itself: the names. So a read with a String makes no other one.
    #
    # A key of another namespace (per call, or of a Proc) stands whole behind a control character. So
    # does a name that begins with one, and no two keys are the same.
    module Naming
      MARK = "\u0001"
      MARK_BYTE = MARK.ord
      # In bytes, as in RedisCacheStore. Longer keys end with their digest.
      LONGEST = 1024
      # In bytes, with the namespace: Rails 8.1 itself cuts what is longer.
      PLAIN = 250

      # In bytes: what stands for the rest of a name that is cut.
      SUFFIX = ":hash:".bytesize + 32

      # @param size [Integer, false, nil]
      # @raise [InvalidOption]
      def self.check_size(size)
        return if size.nil? || size == false || (size.is_a?(Integer) && size > SUFFIX)

        raise InvalidOption.for(:max_key_size, size, "an Integer above #{SUFFIX}, or false for any size")
      end

      # As in Rails 8.1, in all versions.
      #
      # @return [String, Symbol, Proc, nil]
      def namespace
        @options[:namespace]
      end

      # As in Rails 8.1, in all versions.
      def namespace=(namespace)
        @options[:namespace] = namespace
      end

      private

      # @param namespace [String, Symbol, Proc, nil] the store's
      # @param max_size [Integer, false, nil] of a name with its namespace, in bytes
      def _name_keys(namespace, max_size)
        # An app may set another one later: `cache.options[:namespace] = …`
        @_namespace = namespace.respond_to?(:call) ? Object.new : namespace
        @_prefix = namespace.nil? || namespace.respond_to?(:call) ? "" : -"#{namespace}:"
        @_longest_plain = [PLAIN, max_size || PLAIN].min - @_prefix.bytesize
        _bound_names(max_size)
      end

      def _bound_names(max_size)
        @_max_size = max_size || nil
        @_longest = max_size == false ? Float::INFINITY : [LONGEST, max_size || 0].max
      end

      def normalize_key(name, options = nil)
        @_max_size && !Version::CUTS_KEYS ? _cut(super) : super
      end

      # As Rails 8.1 does.
      def _cut(key)
        return key if key.nil? || key.bytesize <= @_max_size

        "#{key.byteslice(0, @_max_size - SUFFIX).scrub("")}:hash:#{::ActiveSupport::Digest.hexdigest(key)}"
      end

      # Whether a name is what its entry is stored under, without a look at options.
      def _plain_name?(name)
        name.instance_of?(String) && (first = name.getbyte(0)) && first != MARK_BYTE &&
          name.bytesize <= @_longest_plain && @_namespace.equal?(@options[:namespace]) && @options[:version].nil?
      end

      # @param key [String, nil] as `normalize_key` made it
      def _stored_key(key)
        key = key.to_s
        is_own = key.start_with?(@_prefix) && key.getbyte(@_prefix.bytesize) != MARK_BYTE
        _shortened(is_own ? key.byteslice(@_prefix.bytesize..) : "#{MARK}#{key}")
      end

      # What names match within a namespace, as a pattern of {Ccache::Store}'s keys. The
      # namespaces stand for themselves, and a pattern is never shortened.
      def _stored_pattern(pattern, options)
        whole = "#{_literal(namespace_key("", options))}#{pattern.b}"
        own = _literal(@_prefix)
        is_own = whole.start_with?(own) && whole.getbyte(own.bytesize) != MARK_BYTE
        is_own ? whole.byteslice(own.bytesize..) : "#{MARK}#{whole}"
      end

      def _literal(text)
        text.b.gsub(/[*?\[\\]/n) { |character| "\\#{character}" }
      end

      # The other way round, for short keys. Not valid where it is no text.
      def _whole_key(stored)
        stored = stored.dup.force_encoding(Encoding::UTF_8)
        stored.start_with?(MARK) ? stored.byteslice(1..) : "#{@_prefix}#{stored}"
      end

      def _shortened(key)
        return key if key.bytesize <= @_longest

        ending = ":sha2:#{Digest::SHA256.hexdigest(key)}"
        "#{key.byteslice(0, LONGEST - ending.bytesize)}#{ending}"
      end
    end
  end
end
