# frozen_string_literal: true

require "uri"

module Ccache
  # `redis:`, a URL or a Hash, checked and made into what the native side takes.
  # No message shows a URL or a password.
  #
  # @api private
  class ServerOptions
    KEYS = %i[url host port path db username password ssl_params connect_timeout read_timeout write_timeout].freeze
    TLS_KEYS = %i[ca_file cert key verify_mode].freeze
    TIMEOUTS = %i[connect_timeout read_timeout write_timeout].freeze
    SECOND = 1
    PORTS = (1..65_535)
    # OpenSSL::SSL::VERIFY_NONE and VERIFY_PEER are 0 and 1.
    VERIFY_MODES = { nil => false, :peer => false, 1 => false, :none => true, 0 => true }.freeze

    # @param redis [String, Hash]
    # @return [Hash{Symbol => Object}]
    # @raise [InvalidOption]
    def self.parse(redis)
      new(redis).settings
    end

    def initialize(redis)
      given = redis.is_a?(String) ? { url: redis } : redis
      raise InvalidOption.for(:redis, redis.class, "a URL or a Hash") unless given.is_a?(Hash)

      given = given.transform_keys(&:to_sym)
      unknown = given.keys - KEYS
      raise InvalidOption.unknown(unknown, KEYS) unless unknown.empty?

      @given = (given[:url] ? of_url(given[:url]) : {}).merge(given.compact)
    end

    # @return [Hash{Symbol => Object}]
    def settings
      timeouts = TIMEOUTS.to_h { |name| [name, Seconds.to_nanoseconds(@given.fetch(name, SECOND), name)] }
      { db: natural(:db, @given.fetch(:db, 0), 0..(2**31)), username: text(:username), password: text(:password),
        **address, **timeouts, **tls }
    end

    private

    def of_url(url)
      raise InvalidOption.for(:redis, url.class, "a URL that is a String") unless url.is_a?(String)

      uri = parse(url)
      credentials = { username: decode(uri.user), password: decode(uri.password) }
      case uri.scheme
      when "redis", "rediss" then { **credentials, **of_tcp_url(uri) }
      when "unix" then { **credentials, **of_unix_url(uri) }
      else raise InvalidOption.for(:redis, "a URL of scheme #{uri.scheme}", "one of scheme redis, rediss or unix")
      end.compact
    end

    def parse(url)
      URI.parse(url)
    rescue URI::InvalidURIError
      raise InvalidOption.for(:redis, "a text that is no URL", "a URL as redis://localhost:6379/0"), cause: nil
    end

    def of_tcp_url(uri)
      raise InvalidOption.for(:redis, "a URL without a host", "redis://host[:port][/db]") if uri.host.to_s.empty?

      { host: uri.hostname, port: uri.port, db: database(uri.path.delete_prefix("/")),
        tls: uri.scheme == "rediss" }
    end

    def of_unix_url(uri)
      raise InvalidOption.for(:redis, "a URL without a path", "unix:///path[?db=n]") if uri.path.to_s.size < 2

      { path: decode(uri.path), db: database(URI.decode_www_form(uri.query.to_s).to_h["db"].to_s) }
    end

    def database(digits)
      return if digits.empty?

      Integer(digits, 10)
    rescue ArgumentError
      raise InvalidOption.for(:db, digits, "an Integer from 0"), cause: nil
    end

    # Empty user names and passwords are none.
    def decode(part)
      part.nil? || part.empty? ? nil : NewerRuby::URI_PARSER.unescape(part)
    end

    def address
      path = text(:path)
      return { path: path } if path

      { path: nil, host: text(:host) || "localhost", port: natural(:port, @given.fetch(:port, 6379), PORTS) }
    end

    def tls
      params = @given[:ssl_params] || {}
      raise InvalidOption.for(:ssl_params, params, "a Hash") unless params.is_a?(Hash)

      unknown = params.keys - TLS_KEYS
      raise InvalidOption.unknown(unknown, TLS_KEYS) unless unknown.empty?

      is_plain = @given[:ssl_params] && @given[:tls] == false
      if is_plain
        raise InvalidOption.for(:ssl_params, "ssl_params: beside a redis URL",
                                "a rediss URL, or a Hash with host:")
      end

      { tls: @given.fetch(:tls, !@given[:ssl_params].nil?), accept_any: accept_any(params[:verify_mode]),
        **files(params) }
    end

    def accept_any(mode)
      VERIFY_MODES.fetch(mode) { raise InvalidOption.for(:verify_mode, mode, ":peer or :none") }
    end

    def files(params)
      files = %i[ca_file cert key].to_h { |name| [name, file(name, params[name])] }
      return files if files[:cert].nil? == files[:key].nil?

      raise InvalidOption.for(:ssl_params, files[:cert] ? "cert: alone" : "key: alone", "cert: and key: together")
    end

    def file(name, path)
      return path if path.nil? || (path.is_a?(String) && !path.include?("\n") && File.readable?(path))

      # The text of a key is not to be shown.
      shown = path.is_a?(String) && !path.include?("-----") ? path : path.class
      raise InvalidOption.for(name, shown, "the path of a PEM file that can be read")
    end

    # The value is not shown: it may be a password.
    def text(name)
      value = @given[name]
      return if value.nil? || value == ""
      return value if value.is_a?(String) && value.dup.force_encoding(Encoding::UTF_8).valid_encoding?

      raise InvalidOption.for(name, value.class, "a String in UTF-8")
    end

    def natural(name, value, range)
      return value if value.is_a?(Integer) && range.cover?(value)

      raise InvalidOption.for(name, value, "an Integer from #{range.min} to #{range.max}")
    end
  end
end
