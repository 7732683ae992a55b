# frozen_string_literal: true

# What goes wrong, and in whose words.
module Ccache
  # What every exception of this gem is: `rescue Ccache::Error` catches them all.
  #
  # A module, so that a bad argument is the ArgumentError or TypeError that a
  # Ruby programmer expects, and one of ours as well.
  module Error
    # What Marshal and Ractor say of classes alone. Other words of an encoder may show a value.
    OF_CLASSES = Regexp.union(
      %r{\A(?:no _dump_data is defined for class|allocator undefined for|undefined class/module) [\w:]+\z},
      /\Auninitialized constant [\w:]+\z/, # Marshal in an app with Active Support
      /\Acan't dump (?:anonymous (?:class|module) #<\w+:0x\h+>|hash with default proc|IO)\z/,
      /\Acan not (?:copy|make shareable) (?:object for )?#<[\w:]+:0x\h+>(?: object\.)?\z/,
      /\A(?:singleton (?:class )?can't be dumped|instance of IO needed|marshal data too short)\z/
    ).freeze
    private_constant :OF_CLASSES

    # @param object [BasicObject] any object at all, also one whose `inspect` fails
    # @return [String] at most 80 characters to show it in a message
    def self.show(object)
      text(inspection(object), 80)
    rescue *FOREIGN_ERRORS
      "an instance of #{class_of(object)}"
    end

    # Calls no method of a String's subclass: keys are shown while native frames are waiting, which
    # must not be left and come back to. Of many keys those that find room.
    def self.inspection(object)
      case object
      when String then String.instance_method(:inspect).bind_call(object)
      when Array then "[#{object.first(40).map { |part| inspection(part) }.join(", ")}#{", ..." if object.size > 40}]"
      else object.inspect
      end
    end
    private_class_method :inspection

    # @param foreign [String] what others wrote
    # @return [String] as one line of valid text of at most so many characters
    def self.text(foreign, longest = 200)
      text = foreign.dup.force_encoding(Encoding::UTF_8).scrub { |bytes| bytes.inspect[1..-2] }
      text = text.gsub(/[^[:print:]]|\p{Cf}/) { |character| character.dump[1..-2] }
      text.length > longest ? "#{text[0, longest - 3]}..." : text
    end

    # What a failed encoder or decoder said may quote the value: it is shown only where it is
    # known to name a class, and where it is ours.
    #
    # @param error [Exception]
    # @return [String] why code that is not ours failed
    def self.reason(error)
      return "it is nested too deeply for the stack that is left" if SystemStackError === error
      return error.message if Error === error

      message = error.respond_to?(:original_message) ? error.original_message : error.message # without suggestions
      OF_CLASSES.match?(message) ? text("#{error.class}: #{message}") : error.class.to_s
    rescue *FOREIGN_ERRORS # of an exception that does not tell
      class_of(error).to_s
    end

    # @param error [Exception]
    # @return [Exception, nil] what may be the cause of an error of ours: one that shows no value
    def self.cause_of(error)
      case error when SystemStackError, NestingError then error end
    end

    # @param object [BasicObject]
    # @return [Class] also that of an object that does not tell
    def self.class_of(object)
      Kernel.instance_method(:class).bind_call(object)
    end
  end

  # What code that is not ours (a coder, a hook of Marshal's, a listener) may fail with. An
  # Interrupt, `exit`, NoMemoryError and the like are no failure of that code, and pass through.
  FOREIGN_ERRORS = [StandardError, ScriptError, SystemStackError].freeze
  private_constant :FOREIGN_ERRORS

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

    # Objects may hold passwords and keys, and so may a text that looks like a URL or a PEM file.
    SHOWN = [Symbol, Numeric, String, Module, NilClass, TrueClass, FalseClass].freeze
    SECRET = %r{@|://|-----}
    NAME = /\A\w{1,40}\z/
    private_constant :SHOWN, :SECRET, :NAME

    class << self
      # @api private
      def for(name, value, accepted)
        new("#{name}: takes #{accepted}, got #{show(value)}")
      end

      # @api private
      def unknown(names, accepted)
        names = names.map { |name| show_name(name) }
        new("unknown option#{"s" if names.size > 1} #{names.join(", ")}; there are #{accepted.join(", ")}")
      end

      # @api private
      def twice(name)
        new("#{show_name(name)}: is given twice, and counts once")
      end

      private

      def show(value)
        is_plain = Object === value && SHOWN.any? { |kind| value.is_a?(kind) }
        is_plain && !SECRET.match?(value.to_s) ? Error.show(value) : Error.class_of(value).to_s
      end

      def show_name(name)
        Symbol === name && NAME.match?(name) ? name : "of class #{Error.class_of(name)}"
      end
    end
  end

  # A coder does not write, or read, a value that is nested so deeply.
  #
  # @api private
  class NestingError < TypeError
    include Error
  end

  # What a coder has no word for.
  #
  # @api private
  class NoWord < TypeError
    include Error
  end

  # For `rescue`: an error of ours for a value that is nested too deeply for its coder, or for the
  # stack that is left.
  #
  # @api private
  module TooDeep
    def self.===(error)
      case error when Error then error.cause.is_a?(SystemStackError) || error.cause.is_a?(NestingError) end
    end
  end
  private_constant :NestingError, :NoWord
  private_constant :TooDeep

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
        when Array then "at etag #{Error.text(condition.first, 80)}"
        else "not at etag #{Error.text(condition, 80)}"
        end
      new("the entry of #{Error.show(key)} is #{state}")
    end
  end

  # What is common to the failures of a server: which one, at which key, and
  # whether doing the same again may help. Messages show neither values nor passwords.
  module RemoteFailure
    include Error

    # @return [String, nil] the server's address, without credentials; nil in one process
    attr_reader :server
    # @return [String, Symbol, Array, nil] the key that it was about, or the keys
    attr_reader :key

    # @return [Boolean] whether the same call may succeed later
    def retriable?
      @retriable
    end

    # Whether memory may answer in the server's place (`stale_if_error:`): it was the connection
    # that failed, or was refused, or what passes; not this command.
    #
    # @api private
    def outage?
      @retriable || @refused
    end

    # @api private
    def self.included(error)
      error.extend(Maker)
    end

    # @api private
    module Maker
      # @return [RemoteFailure]
      def for(message, server, key, retriable, refused = nil)
        about = key.nil? ? "" : " (key #{Error.show(key)})"
        new("#{message}#{about}").tap { |error| error.send(:concern, server, key, retriable, refused) }
      end
    end

    private

    def concern(server, key, retriable, refused)
      @server = server
      @refused = refused
      @key = key
      @retriable = retriable
      @header = nil # all in one order, so that objects of a class have one shape
    end
  end

  # There is no connection to the server: refused (by the system, or by the server, which
  # has too many clients, is loading, or is protected), lost, or failed a moment ago and not
  # tried again yet. A write may or may not have been done.
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

  # A value cannot be encoded or decoded (its class is gone, or has changed), or is larger
  # than `max_value_bytes:`.
  class CodecError < StandardError
    include RemoteFailure

    # What the string on the server begins with, for who may replace it.
    #
    # @api private
    attr_accessor :header
  end

  # A value's encoding is larger than `max_value_bytes:`. Nothing was written.
  class ValueTooLarge < CodecError
    # @api private
    def self.for_size(bytes, most, server, key)
      self.for("the encoded value has #{bytes} bytes, max_value_bytes is #{most}", server, key, false)
    end
  end

  # What a read may fail by, for who takes that for a miss.
  #
  # @api private
  READ_FAILURES = [ConnectionError, TimeoutError, ServerError, CodecError].freeze
end
