# frozen_string_literal: true

module Ccache
  # `redis:`, a URL or a Hash, checked and made into what the native side takes.
  # No message shows a URL or a password.
  #
  # @api private
  class ServerOptions
    TIMEOUTS = %i[connect_timeout read_timeout write_timeout].freeze
    KEYS = [:url, :host, :port, :path, :db, :username, :password, :ssl_params, :timeout, *TIMEOUTS].freeze
    TLS_KEYS = %i[ca_file cert key verify_mode].freeze
    SECOND = 1
    PORTS = (1..65_535)
    # OpenSSL::SSL::VERIFY_NONE and VERIFY_PEER are 0 and 1.
    VERIFY_MODES = { nil => false, :peer => false, "peer" => false, 1 => false,
                     :none => true, "none" => true, 0 => true }.freeze

    # @param redis [String, Hash]
    # @return [Hash{Symbol => Object}]
    # @raise [InvalidOption]
    def self.parse(redis)
      new(redis).settings
    end

    # What a Hash says counts for more than what its URL says.
    def initialize(redis)
      given = redis.is_a?(String) ? { url: redis } : redis
      raise InvalidOption.for(:redis, redis.class, "a URL or a Hash") unless given.is_a?(Hash)

      given = OptionNames.check(given, KEYS).compact
      url = given.key?(:url) ? ServerUrl.parse(given[:url]) : {}
      @given = { **spread(url), **spread(given) }
    end

    # @return [Hash{Symbol => Object}]
    def settings
      timeouts = TIMEOUTS.to_h { |name| [name, timeout(name, @given.fetch(name, SECOND))] }
      { db: natural(:db, @given.fetch(:db, 0), 0..(2**31)), **credentials, **address, **timeouts, **tls }
    end

    private

    # `timeout:` stands for each timeout that is not given.
    def spread(options)
      seconds = options[:timeout]
      return options if seconds.nil?

      timeout(:timeout, seconds)
      { **TIMEOUTS.to_h { |name| [name, seconds] }, **options }
    end

    def timeout(name, seconds)
      nanoseconds = Seconds.to_nanoseconds(seconds, name)
      return nanoseconds if nanoseconds.positive?

      raise InvalidOption.for(name, seconds, "a number of seconds above 0")
    end

    # A server that is given no password would take the client for its default user.
    def credentials
      username = text(:username)
      password = text(:password)
      return { username: username, password: password } if password || username.nil?

      raise InvalidOption, "username: takes a password: beside it, or redis://user:password@host; got none"
    end

    def address
      path = filled(:path)
      path.nil? ? of_host(filled(:host)) : of_socket(path)
    end

    def of_host(host)
      check_host(host) if host
      { path: nil, host: host&.delete_prefix("[")&.delete_suffix("]") || "localhost",
        port: natural(:port, @given.fetch(:port, 6379), PORTS) }
    end

    def of_socket(path)
      beside = %i[host port ssl_params].find { |name| @given.key?(name) }
      raise InvalidOption, "path: is a Unix socket's, and takes no #{beside}: beside it" if beside
      raise InvalidOption.for(:path, "control characters", "the path of a socket") if path.match?(/[[:cntrl:]]/)

      { path: path }
    end

    # Whatever else stands there may be a password.
    def check_host(host)
      return if host.match?(/\A\[?[[:alnum:]_.:%-]+\]?\z/)

      raise InvalidOption.for(:host, host.class, "a name or an address; a password stands in password:")
    end

    def tls
      params = @given.fetch(:ssl_params, {})
      raise InvalidOption.for(:ssl_params, params.class, "a Hash") unless params.is_a?(Hash)

      params = OptionNames.check(params, TLS_KEYS)
      is_plain = @given.key?(:ssl_params) && @given[:tls] == false
      if is_plain
        raise InvalidOption.for(:ssl_params, "ssl_params: beside a redis URL",
                                "a rediss URL, or a Hash with host:")
      end

      { tls: @given.fetch(:tls, @given.key?(:ssl_params)), accept_any: accept_any(params[:verify_mode]),
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

    # What is in the file is looked at by the native side.
    def file(name, path)
      path = path.to_path if path.respond_to?(:to_path)
      return path if path.nil? || (path.is_a?(String) && !path.match?(/[\n\0]/) && readable_file?(path))

      raise InvalidOption.for(name, path, "the path of a PEM file that can be read")
    end

    def readable_file?(path)
      File.file?(path) && File.readable?(path)
    end

    # The value is not shown: it may be a password.
    def text(name)
      value = @given[name]
      return if value.nil? || value == ""
      return value if value.is_a?(String) && value.dup.force_encoding(Encoding::UTF_8).valid_encoding?

      raise InvalidOption.for(name, value.class, "a String in UTF-8")
    end

    # An empty one comes from a variable that is not set where it should be.
    def filled(name)
      raise InvalidOption.for(name, "", "a String that is not empty") if @given[name] == ""

      text(name)
    end

    def natural(name, value, range)
      return value if value.is_a?(Integer) && range.cover?(value)

      raise InvalidOption.for(name, value, "an Integer from #{range.min} to #{range.max}")
    end
  end
end
