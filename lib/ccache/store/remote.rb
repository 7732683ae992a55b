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
        found = tag_at_server(key, OUTCOMES)
        found.is_a?(String) || found.name == :changed
      end

      # See {Store#etag}; asks the server, which answers with the first bytes of what it
      # holds. Only where values are signed (`signing_keys:`), a tag that this process
      # does not know comes with its value: it cannot be verified without.
      def etag(key)
        key = steady(key)
        found = tag_at_server(key, OUTCOMES)
        found = unknown_tag(key) if Outcome === found && found.name == :changed
        found if found.is_a?(String)
      end

      # See {Store#get_multi}. Two round trips at most: one validates, one brings
      # what changed.
      def get_multi(*keys, max_age: nil, stale_if_error: nil)
        found, is_complete = read_multi(keys, freshness(max_age, nil, stale_if_error))
        is_complete ? found : found.reject { |_, value| Absent === value }
      end

      # See {Store::Embedding#seek_multi}.
      #
      # @api private
      def seek_multi(keys, max_age: nil, stale_if_error: nil)
        found, = read_multi(keys, freshness(max_age, nil, stale_if_error)) { |error| unreadable(error.key, error) }
        found.reject { |_, value| Absent === value }
      end

      # See {Store#set_multi}. One round trip; atomic per key. A value that is larger than
      # `max_value_bytes:` keeps the others from nothing: it is left out of the result, its
      # key has no entry then, and `on_event:` is told (`:refused`).
      def set_multi(entries, expires_in: INHERITED, values: @values)
        lifetime = check_entries(entries, expires_in, values)
        prepared = entries.to_h { |key, value| [key, prepare(key, value, values, nil)] }
        refused, accepted = prepared.partition { |_, form| too_large?(form) }.map(&:to_h)
        refuse_all(refused)
        write_pairs(accepted, lifetime)
      end

      # See {Store#fetch_multi}. What is missing is loaded one by one.
      def fetch_multi(*keys, expires_in: INHERITED, values: nil, skip_nil: false, lock: nil,
                      max_age: nil, stale_if_error: nil)
        raise ArgumentError, "fetch_multi needs a block that loads a value" unless block_given?

        load = load_options(expires_in, values, skip_nil, lock)
        found, = read_multi(keys, freshness(max_age, nil, stale_if_error)) do |error|
          unreadable(error.key, error)
        end
        found.to_h do |key, value|
          [key, Absent === value ? load_once(key, load, value) { yield key } : for_reader(value, values)]
        end
      end

      # See {Store#delete}.
      def delete(key, if_match: ANY)
        delete_with(key, if_match: if_match)
      end

      # See {Store#delete_multi}. One round trip; atomic per key.
      def delete_multi(*keys)
        keys.each { |key| check(key, nil) }
        keys = keys.map { |key| steady(key) }
        keys.empty? ? 0 : removing_all(keys) { delete_at_server(keys).count(true) }
      end

      # See {Store#clear}: the namespace on the server, in steps of a thousand keys or
      # so, and this process's copies. What others write meanwhile may stay.
      #
      # @return [Integer] how many keys the server removed
      def clear
        clear_matching("*")
      end

      # See {Store#delete_matched}: in steps as {#clear}. This process forgets all copies.
      def delete_matched(pattern)
        check_pattern(pattern)
        clear_matching(pattern)
      end

      # See {Store#forget}.
      def forget
        drop_all_local
      end

      # See {Store#increment}. One round trip, atomic on the server.
      def increment(key, amount = 1, expires_in: INHERITED)
        check_amount(amount)
        lifetime = nanoseconds(expires_in)
        is_counted = INTEGERS.cover?(amount) && !over_at_once?(lifetime)
        number = is_counted && forgetting(key) { increment_at_server(key, amount, lifetime) }
        number || super
      end

      # See {Store#stats}; and `:validations` (keys asked for), `:not_modified`,
      # `:transfers` (values brought), `:foreign` and `:unverified` (strings that are
      # not read), `:undecodable`, `:write_failures` (loaded values that the server
      # did not take), `:stale` (reads answered without the server's word), and
      # `:connections` made.
      def stats
        super.merge(remote_stats)
      end

      # See {Store#inspect}; shows the server without credentials.
      def inspect
        super.sub(/(?=[ >])/) { " server=#{server} namespace=#{@remote.namespace}" }
      end

      private

      def clear_matching(pattern)
        drop_all_local
        cursor = "0"
        count = 0
        loop do
          cursor, removed = clear_step(cursor, pattern)
          count += removed
          break if cursor == "0"
        end
        count
      ensure
        drop_all_local unless closed?
      end

      # Whether what is written is not kept.
      def over_at_once?(lifetime)
        (lifetime.is_a?(Integer) && lifetime.zero?) ||
          (lifetime == :inherited && !@expires_in.nil? && !@expires_in.positive?)
      end

      def origin
        { server: server }
      end
    end
  end
end
