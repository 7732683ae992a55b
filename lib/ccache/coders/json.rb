# frozen_string_literal: true

module Ccache
  module Coders
    # JSON, as text. nil, true, false, Integers, finite Floats, UTF-8 Strings, Arrays and
    # Hashes with String keys come back as they were; Symbols come back as Strings. All else
    # is refused.
    module Json
      VOCABULARY = Vocabulary.new("JSON").freeze

      class << self
        def dump(value)
          VOCABULARY.check(value)
          ::JSON.generate(value, max_nesting: Vocabulary::DEEPEST)
        end

        def load(bytes)
          ::JSON.parse(bytes.dup.force_encoding(Encoding::UTF_8), max_nesting: Vocabulary::DEEPEST)
        end
      end
    end
  end
end
