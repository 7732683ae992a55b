# frozen_string_literal: true

require "securerandom"
require_relative "remote/forgetting"
require_relative "remote/reading"
require_relative "remote/transferring"
require_relative "remote/writing"
require_relative "remote/refusing"
require_relative "remote/leasing"

module Ccache
  class Store
    # What a {Store} with a server does otherwise; it is extended by this module.
    #
    # Memory holds copies of what the server has. Every read asks the server whether
    # the copy's tag still holds, in one small request that it shares with others who
    # ask at the same time, and is answered by the live object if it does. `get` and
    # `[]` do that natively; what is here is what happens otherwise.
    #
    # `size`, `keys`, `each` and `pin_list` are about the copies in this process.
    module Remote
      # Why the copy in memory is no answer; the native side counts on their order.
      Outcome = Struct.new(:name)
      OUTCOMES = %i[unknown changed gone leased foreign unverified].map { |name| Outcome.new(name).freeze }.freeze
      private_constant :Outcome, :OUTCOMES

      include Forgetting
      include Reading
      include Transferring
      include Writing
      include Refusing
      include Leasing

      # See {Store#key?}; asks the server.
      def key?(key)
        found = _tag_at_server(key, OUTCOMES)
        found.is_a?(String) || found.name == :changed
      end

      # See {Store#etag}; asks the server, which answers with the first bytes of what it
      # holds. Only where values are signed (`signing_keys:`), a tag that this process
      # does not know comes with its value: it cannot be verified without.
      def etag(key)
        key = _steady(key)
        found = _tag_at_server(key, OUTCOMES)
        found = _unknown_tag(key) if Outcome === found && found.name == :changed
        found if found.is_a?(String)
      end

      # See {Store#get_multi}. Two round trips at most: one validates, one brings
      # what changed.
      def get_multi(*keys, max_age: nil, stale_if_error: nil)
        found, is_complete = _read_multi(keys, _freshness(max_age, nil, stale_if_error))
        is_complete ? found : found.reject { |_, value| Absent === value }
      end

      # See {Store::Embedding#seek_multi}.
      #
      # @api private
      def seek_multi(keys, max_age: nil, stale_if_error: nil)
        found, = _read_multi(keys, _freshness(max_age, nil, stale_if_error)) { |error| _unreadable(error.key, error) }
        found.reject { |_, value| Absent === value }
      end

      # See {Store#set_multi}. One round trip; atomic per key. A value that is larger than
      # `max_value_bytes:` keeps the others from nothing: it is left out of the result, its
      # key has no entry then, and `on_event:` is told (`:refused`).
      def set_multi(entries, expires_in: INHERITED, values: @_values)
        lifetime = _check_entries(entries, expires_in, values)
        prepared = entries.to_h { |key, value| [key, _prepare(key, value, values, nil)] }
        refused, accepted = prepared.partition { |_, form| _too_large?(form) }.map(&:to_h)
        _refuse_all(refused)
        _write_pairs(accepted, lifetime)
      end

      # See {Store#fetch_multi}. What is missing is loaded one by one.
      def fetch_multi(*keys, expires_in: INHERITED, values: nil, skip_nil: false, lock: nil,
                      max_age: nil, stale_if_error: nil)
        raise ArgumentError, "fetch_multi needs a block that loads a value" unless block_given?

        load = _load_options(expires_in, values, skip_nil, lock)
        found, = _read_multi(keys, _freshness(max_age, nil, stale_if_error)) do |error|
          _unreadable(error.key, error)
        end
        found.to_h do |key, value|
          [key, Absent === value ? _load_once(key, load, value) { yield key } : _for_reader(value, values)]
        end
      end

      # See {Store#delete}.
      def delete(key, if_match: ANY)
        _delete_with(key, if_match: if_match)
      end

      # See {Store#delete_multi}. One round trip; atomic per key.
      def delete_multi(*keys)
        keys.each { |key| _check(key, nil) }
        keys = keys.map { |key| _steady(key) }
        keys.empty? ? 0 : _removing_all(keys) { _delete_at_server(keys).count(true) }
      end

      # See {Store#clear}: the namespace on the server, in steps of a thousand keys or
      # so, and this process's copies. What others write meanwhile may stay.
      #
      # @return [Integer] how many keys the server removed
      def clear
        _clear_matching("*")
      end

      # See {Store#delete_matched}: in steps as {#clear}. This process forgets all copies.
      def delete_matched(pattern)
        _check_pattern(pattern)
        _clear_matching(pattern)
      end

      # See {Store#forget}.
      def forget
        _drop_all_local
      end

      # See {Store#increment}. One round trip, atomic on the server.
      def increment(key, amount = 1, expires_in: INHERITED)
        _check_amount(amount)
        lifetime = _nanoseconds(expires_in)
        is_counted = INTEGERS.cover?(amount) && !_over_at_once?(lifetime)
        number = is_counted && _forgetting(key) { _increment_at_server(key, amount, lifetime) }
        number || super
      end

      # See {Store#stats}; and `:validations` (keys asked for), `:not_modified`,
      # `:transfers` (values brought), `:foreign` and `:unverified` (strings that are
      # not read), `:undecodable`, `:write_failures` (loaded values that the server
      # did not take), `:stale` (reads answered without the server's word), and
      # `:connections` made.
      def stats
        super.merge(_remote_stats)
      end

      # See {Store#inspect}; shows the server without credentials.
      def inspect
        super.sub(/(?=[ >])/) { " server=#{_server} namespace=#{@_remote.namespace}" }
      end

      private

      def _clear_matching(pattern)
        _drop_all_local
        cursor = "0"
        count = 0
        loop do
          cursor, removed = _clear_step(cursor, pattern)
          count += removed
          break if cursor == "0"
        end
        count
      ensure
        Thread.handle_interrupt(Interrupts::HELD_BACK) { _drop_all_local unless closed? }
      end

      # Whether what is written is not kept.
      def _over_at_once?(lifetime)
        (lifetime.is_a?(Integer) && lifetime.zero?) ||
          (lifetime == :inherited && @_is_over_at_once)
      end

      def _origin
        { server: _server }
      end
    end
  end
end
