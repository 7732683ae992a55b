# frozen_string_literal: true

module Ccache
  # No plain data, but something that Marshal takes.
  class SpecThing
    attr_accessor :name

    def initialize(name)
      @name = name
    end

    def ==(other)
      other.is_a?(SpecThing) && other.name == name
    end
  end
end
