# frozen_string_literal: true

require "uri"

module Ccache
  # A server's URL, taken apart. What is wrong with one is said without showing it, since a
  # password may stand anywhere in a URL that is not well-formed.
  #
  # @api private
  class ServerUrl
    # What may stand behind the question mark.
    PARAMETERS = %i[db timeout connect_timeout read_timeout write_timeout].freeze
    # What may be shown of what should be a number.
    WORD = /\A[\w.-]{1,20}\z/
    DATABASE = /\A\d{1,10}\z/
    SECONDS = /\A\d{1,10}(?:\.\d{1,10})?\z/
    private_constant :WORD, :DATABASE, :SECONDS

    # @param url [String]
    # @return [Hash{Symbol => Object}] options as they stand in a Hash; what is not said is left out
    # @raise [InvalidOption]
    def self.parse(url)
      new(url).options
    end

    def initialize(url)
      raise InvalidOption.for(:redis, url.class, "a URL that is a String") unless url.is_a?(String)

      @uri = URI.parse(url)
      refuse("a text that is no URL", "a URL as redis://localhost:6379/0") if @uri.scheme.nil? || @uri.opaque
      refuse("a URL with a fragment", "%23 for a # in a password") if @uri.fragment
    rescue URI::Error
      refuse("a text that is no URL", "a URL as redis://localhost:6379/0")
    end

    # @return [Hash{Symbol => Object}]
    def options
      address =
        case @uri.scheme.downcase
        when "redis" then { **tcp, tls: false }
        when "rediss" then { **tcp, tls: true }
        when "unix" then unix
        else refuse("a URL of scheme #{@uri.scheme}", "one of scheme redis, rediss or unix")
        end
      { username: decode(@uri.user), password: decode(@uri.password), **address }.compact
    end

    private

    # @raise [InvalidOption] always, without the cause, which shows the URL
    def refuse(shown, accepted)
      raise InvalidOption.for(:redis, shown, accepted), cause: nil
    end

    def tcp
      refuse("a URL without a host", "redis://host[:port][/db]") if @uri.hostname.to_s.empty?

      path = @uri.path.delete_prefix("/")
      { host: decode(@uri.hostname), port: @uri.port, **parameters, db: database(path) }
    end

    def unix
      refuse("a URL with a host", "unix:///path, with three slashes") unless @uri.host.to_s.empty?
      refuse("a URL without a path", "unix:///path[?db=n]") if @uri.path.to_s.size < 2

      { path: decode(@uri.path), **parameters, db: database("") }
    end

    # The number in the path and the one behind the question mark, if they are one.
    def database(in_path)
      given = [*(in_path unless in_path.empty?), *query[:db]].map { |digits| number(:db, digits, DATABASE, :to_i) }
      return given.first if given.uniq.size < 2

      refuse("a URL with two", "a URL with one database")
    end

    def parameters
      (query.keys - [:db]).to_h { |name| [name, number(name, query[name], SECONDS, :to_r)] }
    end

    def query
      @query ||= pairs.each_with_object({}) do |(name, value), query|
        raise InvalidOption.twice(name) if query.key?(name)

        query[name] = value
      end
    end

    def pairs
      pairs = URI.decode_www_form(@uri.query.to_s).map { |name, value| [name.to_sym, value] }
      unknown = pairs.map(&:first) - PARAMETERS
      raise InvalidOption.unknown(unknown, PARAMETERS) unless unknown.empty?

      pairs
    rescue InvalidOption
      raise
    rescue ArgumentError
      refuse("a URL whose parameters cannot be read", "parameters as ?db=1&timeout=0.5")
    end

    def number(name, text, pattern, conversion)
      return text.public_send(conversion) if pattern.match?(text)

      accepted = name == :db ? "an Integer from 0" : "a number of seconds, as 0.5"
      raise InvalidOption.for(name, WORD.match?(text) ? text : String, accepted)
    end

    # Empty user names and passwords are none.
    def decode(part)
      part.nil? || part.empty? ? nil : NewerRuby::URI_PARSER.unescape(part)
    end
  end
end
