# frozen_string_literal: true

module Ccache
  module RailsStore
    # `fetch`: as {Ccache::Store#fetch}, one load at a time per key, and nothing is
    # stored that is older than a write or a removal that came meanwhile.
    module Fetching
      # Options that say how to write, so that a hit need not look at them.
      FOR_WRITING = %i[expires_in expire_in expired_in expires_at race_condition_ttl skip_nil compress
                       compress_threshold raw lock].to_h { |name| [name, true] }.freeze

      # As in Rails. Callers who miss at the same time, of the same process, share one
      # load; with `lock:` seconds, those of other processes, too.
      #
      # What the caller of the block gets is what a later hit will give.
      #
      # @param name [Object] a key
      # @param options [Hash, nil] as for `read` and `write`; `force:`, `skip_nil:`,
      #   `race_condition_ttl:`, and `lock:`
      # @yieldparam name [Object]
      # @yieldparam options [WriteOptions] for what is known once the value is
      # @return [Object, nil]
      def fetch(name, options = nil, &block)
        return super unless block_given?
        return _load_anyway(name, options, &block) if options && options[:force]

        glanced = _glance(name, options)
        return glanced unless NilClass === glanced

        _find_or_load(name, merged_options(options), &block)
      end

      # As in Rails: one round trip reads, one writes. What is loaded is what a later
      # hit will give.
      #
      # @param names [Array<Object>] keys, and options at the end
      # @yieldparam name [Object]
      # @return [Hash{Object => Object}]
      def fetch_multi(*names)
        return super unless block_given?

        options = names.last.is_a?(Hash) ? names.last : {}
        loader = ->(name) { _shared(yield(name), options) }
        return _load_all_anyway(names[0..-2], options, &loader) if options[:force] && !Version::FORCES_MANY

        super(*names, &loader)
      end

      private

      # A hit without further ado, or nil.
      def _glance(name, options)
        return unless _quick?(:read, name) && _quiet?(:fetch_hit) && _for_writing?(options)

        value = @ccache.glance(name)
        Item === value ? value.unless_expired : value
      rescue *Failsafe::READ_FAILURES
        nil # told when it is read in full
      end

      def _for_writing?(options)
        options&.each_key { |option| return false unless FOR_WRITING.key?(option) }
        true
      end

      def _find_or_load(name, options, &block)
        key = normalize_key(name, options)
        load = _load_of(name, options)
        parts = absent = nil
        instrument(:read, _named(name, key), options) do |payload|
          parts, absent = _find_or_extend(_stored_key(key), options, load)
          payload[:super_operation] = :fetch
          payload[:hit] = !parts.nil?
        end
        return _load_now(name, key, options, load, absent, &block) unless parts

        instrument(:fetch_hit, name, options) {} # as Rails: an event that says no more than that
        _bare(parts.first)
      end

      # `force: true`: writes, whatever is there.
      def _load_anyway(name, options, &block)
        options = merged_options(options)
        value = _shared(_generate(name, normalize_key(name, options), options = options.dup, &block), options)
        write(name, value, options) unless options[:skip_nil] && NilClass === value
        value
      end

      def _load_all_anyway(names, options, &block)
        values = names.to_h { |name| [name, block.call(name)] }
        write_multi(options[:skip_nil] ? values.compact : values, options)
        values
      end

      def _load_of(name, options)
        version = normalize_version(name, options)
        Load.new(version: version, policy: options[:values] || @_values, skip_nil: options[:skip_nil],
                 lock: options[:lock]) do |value|
          item = _item_of(value)
          item.nil? || item.usable?(version)
        end
      end

      def _load_now(name, key, options, load, absent, &block)
        stored = _stored_key(key)
        form = @ccache.load_missing(stored, load, absent) do
          load.begin!
          load.form = _loaded(name, key, options, load, &block)
        end
        _failed(:write_entry, load.failure, Version::WRITE_FAILED) if load.failure
        _bare(form)
      rescue TooDeep => e
        raise unless load.form

        _failed(:write_entry, e, Version::WRITE_FAILED)
        _bare(load.form)
      rescue *Failsafe::FAILURES => e
        raise if load.begun?

        _failed(:write_entry, e, Version::WRITE_FAILED)
        _generate(name, key, options.dup, &block)
      end

      # What the cache is to keep of what the block returns.
      def _loaded(name, key, options, load, &block)
        options = options.dup
        value = _generate(name, key, options, &block)
        options = merged_options(options)
        load.lifetime = _lifetime(options)&.then { |seconds| Seconds.of_life(seconds, :expires_in) }
        unless _quiet?(:write)
          load.writing = ->(write) { instrument(:write, _named(name, key), options) { write.call } }
        end
        return if load.skip_nil && NilClass === value

        _kept(value, normalize_version(name, options), _expiry(options), options)
      end

      def _generate(name, key, options, &block)
        instrument(:generate, _named(name, key), options) { _call_loader(block, name, WriteOptions.new(options)) }
      end

      # A lambda or a method may want the name alone.
      def _call_loader(block, name, options)
        block.lambda? && [1, -2].include?(block.arity) ? block.call(name) : block.call(name, options)
      end
    end
  end
end
