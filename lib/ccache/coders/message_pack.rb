# frozen_string_literal: true

module Ccache
  module Coders
    # MessagePack. What JSON takes (see {Json}), binary Strings, all Floats, Hashes with keys of
    # any kind, Integers of 64 bits, and what `MessagePack::DefaultFactory` has a type for. A
    # version of msgpack may read fewer levels than Vocabulary::DEEPEST: then the write fails.
    module MessagePack
      # @api private
      class Words < Vocabulary
        INTEGERS = (-(2**63)..((2**64) - 1))

        def initialize
          super("MessagePack")
          # For one value: a program may register types at any time.
          @registered = {}
        end

        private

        def word?(part)
          registered?(part) || super
        end

        def registered?(part)
          case part
          when NilClass, TrueClass, FalseClass, Integer, Float, String, Array, Hash then false
          else kind?(Error.class_of(part))
          end
        end

        def kind?(kind)
          @registered.fetch(kind) { @registered[kind] = ::MessagePack::DefaultFactory.type_registered?(kind) }
        end

        def parts(container)
          return container unless Hash === container

          check_names(container)
          container.keys.concat(container.values)
        end

        def text?(string)
          super || [Encoding::UTF_8, Encoding::BINARY].include?(string.encoding)
        end

        def number?(number)
          Float === number || INTEGERS.cover?(number)
        end

        def number_words
          "an Integer has 64 bits"
        end
      end

      private_constant :Words

      class << self
        def dump(value)
          Words.new.check(value)
          ::MessagePack.pack(value)
        end

        def load(bytes)
          ::MessagePack.unpack(bytes)
        rescue ::MessagePack::StackError
          raise NestingError, "it is nested deeper than this version of msgpack reads"
        end
      end
    end
  end
end
