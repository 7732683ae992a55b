# frozen_string_literal: true

module Ccache
  # An entry as it was when it was read; see {Store#entry}.
  class Entry
    # @return [Object] what {Store#get} would have returned
    attr_reader :value
    # @return [String] the etag, frozen
    attr_reader :etag
    # @return [Float] seconds since the entry was written
    attr_reader :age
    # @return [Time, nil] when it expires, by the wall clock; nil if never
    attr_reader :expires_at

    # @api private
    def initialize(value, etag, age, time_to_live)
      @value = value
      @etag = etag
      @age = age
      @expires_at = time_to_live && (Time.now + time_to_live)
      freeze
    end

    # @return [String] without the value
    def inspect
      "#<#{self.class} etag=#{etag} age=#{age.round(3)}s expires_at=#{expires_at || "never"}>"
    end
  end
end
