# frozen_string_literal: true

require_relative "coders/vocabulary"
require_relative "coders/json"
require_relative "coders/message_pack"

module Ccache
  # What turns values into bytes for the server and back: `coder:`.
  #
  # Its number stands in the header of each value, so a store never decodes what
  # another kind of coder encoded; see docs/protocol.md.
  #
  # @api private
  module Coders
    # A coder and its number on the wire.
    Coder = Struct.new(:number, :object, keyword_init: true) do
      def dump(value)
        object.dump(value)
      end

      def load(bytes)
        object.load(bytes)
      end

      # Whether what it loads is as what it dumped, object for object: then the
      # writer need not read its own value back.
      def faithful?
        number == MARSHAL
      end
    end

    # Do not change: numbers on the wire.
    MARSHAL = 1
    JSON = 2
    MESSAGE_PACK = 3
    OWN = 255

    class << self
      # @return [Coder]
      # @raise [InvalidOption]
      # @raise [LoadError] naming the gem that is missing
      def find(coder)
        case coder
        when :marshal then Coder.new(number: MARSHAL, object: Marshal).freeze
        when :json then json
        when :message_pack then message_pack
        else own(coder)
        end
      end

      private

      def json
        require "json"
        Coder.new(number: JSON, object: Json).freeze
      end

      def message_pack
        require "msgpack"
        Coder.new(number: MESSAGE_PACK, object: MessagePack).freeze
      rescue LoadError
        raise LoadError, "coder: :message_pack needs the msgpack gem: add `gem \"msgpack\"` to the Gemfile"
      end

      def own(coder)
        return Coder.new(number: OWN, object: coder).freeze if coder.respond_to?(:dump) && coder.respond_to?(:load)

        raise InvalidOption.for(:coder, coder, ":marshal, :json, :message_pack, or an object with dump and load")
      end
    end
  end
end
