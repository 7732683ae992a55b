# frozen_string_literal: true

module Ccache
  # What every exception of this gem is: `rescue Ccache::Error` catches them all.
  #
  # A module, so that a bad argument is the ArgumentError or TypeError that a
  # Ruby programmer expects, and one of ours as well.
  module Error
    # @param object [BasicObject] any object at all, also one whose `inspect` fails
    # @return [String] at most 80 characters to show it in a message
    def self.show(object)
      shown = object.inspect
      shown.length > 80 ? "#{shown[0, 77]}..." : shown
    rescue StandardError
      "an instance of #{class_of(object)}"
    end

    # @param object [BasicObject]
    # @return [Class] also that of an object that does not tell
    def self.class_of(object)
      Kernel.instance_method(:class).bind_call(object)
    end
  end

  # A key that is neither a String nor a Symbol.
  class InvalidKey < TypeError
    include Error

    # @api private
    def self.for(key)
      new("a key is a String or a Symbol, got #{Error.show(key)} (#{Error.class_of(key)})")
    end
  end

  # An etag that could not stand in an HTTP header.
  class InvalidEtag < ArgumentError
    include Error

    # @api private
    def self.for(etag)
      new("an etag is a String of 1 to 1024 bytes without spaces, control characters and double quotes, " \
          "got #{Error.show(etag)}")
    end
  end

  # An option with a value that it does not take, or one that does not exist.
  class InvalidOption < ArgumentError
    include Error

    # @api private
    def self.for(name, value, accepted)
      new("#{name}: takes #{accepted}, got #{Error.show(value)}")
    end

    # @api private
    def self.unknown(names, accepted)
      new("unknown option#{"s" if names.size > 1} #{names.join(", ")}; there are #{accepted.join(", ")}")
    end
  end

  # A value that cannot be kept under the asked `values:` policy.
  class InvalidValue < TypeError
    include Error

    # @api private
    def self.for(value, verb, reason)
      new("cannot #{verb} this #{Error.class_of(value)}: #{reason}")
    end
  end

  # An unshareable value for a store that Ractors share.
  class NotShareable < TypeError
    include Error

    # @api private
    def self.for(value)
      new("a store that Ractors share takes shareable values only, got a #{Error.class_of(value)}; " \
          "store it with values: :copied or :frozen, or use Ractor.make_shareable")
    end
  end

  # A store was to be copied or marshalled: it is a place, not a value.
  class NotCopyable < TypeError
    include Error
  end

  # A method was called on a store after `close`.
  class ClosedError < StandardError
    include Error

    # @api private
    def self.for(_store)
      new("the store is closed")
    end
  end

  # The entry is not the one that `if_match:` names, or is the one that
  # `if_none_match:` names. Nothing was changed.
  class PreconditionFailed < StandardError
    include Error

    # @api private
    def self.for(key, condition)
      state =
        case condition
        when nil then "not absent"
        when Array then "at etag #{condition.first}"
        else "not at etag #{condition}"
        end
      new("the entry of #{Error.show(key)} is #{state}")
    end
  end

  # What is common to the failures of a server: which one, at which key, and
  # whether doing the same again may help. Messages show neither values nor passwords.
  module RemoteFailure
    include Error

    # @return [String] the server's address, without credentials
    attr_reader :server
    # @return [String, Symbol, Array, nil] the key that it was about, or the keys
    attr_reader :key

    # @return [Boolean] whether the same call may succeed later
    def retriable?
      @retriable
    end

    # @api private
    def self.included(error)
      error.extend(Maker)
    end

    # @api private
    module Maker
      # @return [RemoteFailure]
      def for(message, server, key, retriable)
        about = key.nil? ? "" : " (key #{Error.show(key)})"
        new("#{message}#{about}").tap { |error| error.send(:concern, server, key, retriable) }
      end
    end

    private

    def concern(server, key, retriable)
      @server = server
      @key = key
      @retriable = retriable
    end
  end

  # There is no connection to the server: refused, lost, or failed a moment ago
  # and not tried again yet. A write may or may not have been done.
  class ConnectionError < StandardError
    include RemoteFailure
  end

  # The server did not answer in time. A write may or may not have been done.
  class TimeoutError < StandardError
    include RemoteFailure
  end

  # The server answered with an error, such as WRONGTYPE, OOM, READONLY or NOAUTH.
  class ServerError < StandardError
    include RemoteFailure
  end

  # A value cannot be encoded or decoded, or is larger than `max_value_bytes:`.
  class CodecError < StandardError
    include RemoteFailure

    # What the string on the server begins with, for who may replace it.
    #
    # @api private
    attr_accessor :header
  end

  # What a read may fail by, for who takes that for a miss.
  #
  # @api private
  READ_FAILURES = [ConnectionError, TimeoutError, ServerError, CodecError].freeze
end
