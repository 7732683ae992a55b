# frozen_string_literal: true

module Ccache
  # The options of a store that matter with a server alone. They are checked
  # without one as well, so that `redis: nil` is a store in one process.
  #
  # Passwords and keys go to the native side; no object of Ruby's keeps them.
  #
  # @api private
  class RemoteOptions
    include Opaque

    # What a store takes, and its defaults.
    DEFAULTS = { redis: nil, namespace: "ccache", coder: :marshal, compress: :zstd, compress_from: 1024,
                 max_value_bytes: 64 * 1024 * 1024, signing_keys: [].freeze, max_age: nil,
                 stale_while_revalidate: nil, stale_if_error: nil, on_event: nil }.freeze
    COMPRESSORS = { zstd: "zstd", lz4: "lz4", none: "none", nil => "none", false => "none" }.freeze
    SIGNING_KEY_BYTES = 16
    # What one string of Redis holds, and its header.
    LARGEST_VALUE = (512 * 1024 * 1024) - 2048

    attr_reader :coder, :freshness, :on_event, :namespace

    # @param options [Hash{Symbol => Object}] all of {DEFAULTS}
    # @raise [InvalidOption]
    def initialize(options)
      @has_server = !options[:redis].nil?
      @namespace = check_namespace(options[:namespace])
      @coder = Coders.find(options[:coder])
      @freshness = Freshness.new(*options.values_at(*Freshness::NAMES))
      @on_event = Callable.check(:on_event, options[:on_event], "call(name, payload)")
      @format = { compressor: check_compressor(options[:compress]),
                  compress_from: check_size(:compress_from, options[:compress_from], 0),
                  max_value_bytes: check_size(:max_value_bytes, options[:max_value_bytes], 1) }
      @is_signed = !check_keys(options[:signing_keys]).empty?
    end

    # @return [Boolean]
    def server?
      @has_server
    end

    # Whether integers can be counted by the server.
    def plain_integers?
      !@is_signed
    end

    # @return [Integer]
    def max_value_bytes
      @format[:max_value_bytes]
    end

    # For the native side, and for nobody to keep.
    #
    # @param options [Hash{Symbol => Object}] as for {#initialize}
    # @return [Hash{Symbol => Object}, nil]
    # @raise [InvalidOption]
    def settings(options)
      return unless @has_server

      of_server = ServerOptions.parse(options[:redis])
      signing_keys = check_keys(options[:signing_keys])
      { **of_server, **@format, signing_keys: signing_keys, namespace: @namespace, coder: @coder.number,
                                max_age: @freshness.max_age, has_plain_reads: @freshness.plain? }
    end

    # @return [String] without passwords and keys
    def inspect
      "#<#{self.class} namespace=#{namespace}>"
    end

    private

    def check_namespace(namespace)
      return namespace.dup.freeze if namespace.is_a?(String) && !namespace.empty?

      raise InvalidOption.for(:namespace, namespace, "a String that is not empty")
    end

    def check_compressor(name)
      COMPRESSORS.fetch(name) { raise InvalidOption.for(:compress, name, ":zstd, :lz4 or :none") }
    end

    def check_size(name, size, least)
      return size if size.is_a?(Integer) && size.between?(least, LARGEST_VALUE)

      raise InvalidOption.for(name, size, "an Integer from #{least} to #{LARGEST_VALUE}")
    end

    # A key is not shown.
    def check_keys(keys)
      keys = [keys] if keys.is_a?(String)
      return keys if keys.is_a?(Array) && keys.all? { |key| key.is_a?(String) && key.bytesize >= SIGNING_KEY_BYTES }

      raise InvalidOption, "signing_keys: takes an Array of Strings of at least #{SIGNING_KEY_BYTES} bytes, the " \
                           "signing one first"
    end
  end
end
