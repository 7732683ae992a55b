# frozen_string_literal: true

module Ccache
  module Coders
    # Looks at a value before it is encoded, so that nothing is replaced by its `to_s` or the
    # like: what the format has no word for is an error. Symbols are taken, and come back as
    # Strings. Nothing is looked at recursively, since a fiber's stack is small.
    #
    # @api private
    class Vocabulary
      # The deepest nesting. A value that refers to itself is deeper.
      DEEPEST = 1_000

      # @param format [String] its name
      def initialize(format)
        @format = format
      end

      # @return [void]
      # @raise [NoWord] naming the class that there is no word for, never a value
      def check(value)
        level = containers([value])
        DEEPEST.times do
          return if level.empty?

          level = level.each_key.with_object({}.compare_by_identity) do |container, inner|
            containers(parts(container), inner)
          end
        end
        raise NestingError, "it is nested deeper than #{DEEPEST} levels, or refers to itself" unless level.empty?
      end

      private

      # Those of the parts that have parts of their own.
      def containers(parts, found = {}.compare_by_identity)
        parts.each { |part| found[part] = true unless word?(part) }
        found
      end

      # True for a word, false for an Array or a Hash, which are looked at later.
      def word?(part)
        case part
        when NilClass, TrueClass, FalseClass then true
        when Integer, Float then number?(part) || refuse(part, ": #{number_words}")
        when Symbol, String then text_word?(part)
        when Array, Hash then container?(part) ? false : refuse(part)
        else refuse(part)
        end
      end

      # A subclass would come back as what it descends from.
      def text_word?(part)
        refuse(part) unless Symbol === part || part.instance_of?(String)
        text?(part.to_s) || refuse(part, " that is not UTF-8")
      end

      def container?(part)
        part.instance_of?(Array) || part.instance_of?(Hash)
      end

      def parts(container)
        return container unless Hash === container

        container.each_key { |key| check_key(key) }
        check_names(container)
        container.values
      end

      def check_key(key)
        refuse(key, " as the key of a Hash") unless Symbol === key || String === key
        word?(key)
      end

      # Strings and Symbols may be the same once they are written.
      def check_names(hash)
        return unless hash.compare_by_identity? || (hash.each_key.any?(Symbol) && hash.each_key.any?(String))

        raise NoWord, "two keys of a Hash are the same String" if hash.keys.map(&:to_s).uniq.size < hash.size
      end

      def text?(string)
        string.ascii_only? || (string.encoding == Encoding::UTF_8 && string.valid_encoding?)
      end

      def number?(number)
        Integer === number || number.finite?
      end

      def number_words
        "a Float is finite"
      end

      def refuse(part, which = "")
        raise NoWord, "#{@format} has no word for a #{Error.class_of(part)}#{which}"
      end
    end
  end
end
