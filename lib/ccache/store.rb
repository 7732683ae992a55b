# frozen_string_literal: true

module Ccache
  # A cache of live Ruby objects in this process: what is read is the very
  # object that was stored, without a copy, and no garbage collection can break it.
  #
  # With `redis:` memory holds copies of what a server has, and every read asks the
  # server whether the copy's etag still holds: see {Remote}. Any method that asks it
  # may raise {ConnectionError}, {TimeoutError}, {ServerError} or {CodecError}.
  #
  # A value that memory keeps encoded and that cannot be decoded any more (its class is gone)
  # is a {CodecError} for all methods that read it, {#each} and {#update} among them, and
  # told to `on_event:` as `:undecodable`. For {#fetch} and {#fetch_multi} it is not there:
  # they load anew, and replace it.
  #
  # Keys are Strings or Symbols and count by their bytes: `:a`, `"a"` and
  # `"a".b` name the same entry. Every method may be called from any thread.
  #
  # Who may change a stored object is said by `values:`, per store and per call:
  #
  # | policy | the cache keeps | a reader gets |
  # |---|---|---|
  # | `:shared` (default without a server) | the object itself | that object |
  # | `:frozen` | the object itself, deeply frozen: a move | that object |
  # | `:copied` | a deep copy, deeply frozen | the copy |
  # | `:fresh` | the encoded bytes (Marshal) | a new mutable object each time |
  # | `:auto` (default with one) | as `:copied` for {PlainData}, as `:fresh` for all else | |
  #
  # @example
  #   store = Ccache::Store.new(max_entries: 100_000, expires_in: 3600)
  #   store.fetch("settings") { load_settings } # loads
  #   store.fetch("settings") { load_settings } # the same object
  class Store
    include Opaque
    include Arguments
    include Decoding
    include Loading
    include Embedding
    include Resizing
    include Telling
    include Weighing

    # What {#each} walks through; native.
    #
    # @api private
    class Snapshot; end # rubocop:disable Lint/EmptyClass
    private_constant :Snapshot

    # @return [Hash{Symbol => Object}] what {#initialize} takes, and its defaults
    OPTIONS =
      { **BoundOptions::DEFAULTS, expires_in: nil, values: nil, on_evict: nil, **RemoteOptions::DEFAULTS }.freeze

    # For `expires_in:`: as the store's default says; as the replaced entry would have.
    INHERITED = Object.new.freeze
    KEPT = Object.new.freeze
    # For a read that found nothing, since nil is a value. `header` is what a string
    # on the server begins with that nobody can read, `value` and `etag` are of an entry
    # that the reader has no use for: what is loaded may replace either.
    Absent = Struct.new(:header, :value, :etag, :is_unreadable) do
      # Whether it stands for the entry of this etag, which cannot be decoded.
      def unreadable?(etag)
        is_unreadable && self.etag == etag
      end

      # What the server is to look at before it takes a loaded value.
      def condition
        return [:is, etag] if etag

        header ? [:seen, header] : [:new, nil]
      end
    end
    ABSENT = Absent.new(nil).freeze
    # For `if_match:`: no condition, since nil is one.
    ANY = Object.new.freeze
    private_constant :INHERITED, :KEPT, :Absent, :ABSENT, :ANY

    # @param options [Hash]
    # @option options [Integer, nil] :max_entries the most entries to keep, nil for no
    #   bound; 100,000 if neither this nor `max_bytes:` is given. What goes
    #   first is decided by how often and how lately it was used
    # @option options [Integer, nil] :max_bytes the most that all entries may weigh. An
    #   entry that alone weighs more, or 4 GiB, is not kept: {#set} does then what it does
    #   otherwise, as if the entry had been evicted at once, and `on_event:` is told
    # @option options [#call, nil] :weigher called with key and value before a write, returns
    #   what the entry weighs; by default the bytes of a value that is encoded (`:fresh`,
    #   or with a server), else those of the key and of the object itself, without those
    #   that it refers to (`ObjectSpace.memsize_of`)
    # @option options [Numeric, ActiveSupport::Duration, nil] :expires_in seconds
    #   that entries live unless a write says otherwise; nil for ever. With 0 or less, here
    #   and in each write, a value is as if it had been written and had expired at once
    # @option options [Numeric, ActiveSupport::Duration, nil] :idle_for seconds after which
    #   an entry goes that nobody has read or written
    # @option options [#call, nil] :on_evict called with key, value and cause when an entry
    #   has left memory: `:size` (there was no room), `:expired`, `:replaced`, `:deleted` or
    #   `:cleared`. On a Ruby thread, at the end of the call that took the entry out, or, for
    #   what leaves without one, on a thread of the store's own; never in a lock or the GC. It
    #   may use the store. What it raises is told to `on_event:`, or else a warning. A store
    #   with it lives until it is closed
    # @option options [Symbol] :values see above
    # @option options [String, Hash, nil] :redis a URL (`redis`, `rediss`, `unix`), which
    #   may have `?db=`, `timeout=`, `connect_timeout=`, `read_timeout=` and `write_timeout=`,
    #   or a Hash of `url host port path db username password ssl_params timeout
    #   connect_timeout read_timeout write_timeout`, with Symbols or Strings as names;
    #   seconds, 1 by default. What the Hash says counts for more than its URL. Nothing
    #   connects before the first use
    # @option options [String] :namespace the key on the server is `namespace:key`
    # @option options [Symbol, #dump & #load] :coder `:marshal`, `:json`, `:message_pack`,
    #   or an object that makes Strings of values and back. With `:json`, nil, true, false,
    #   Integers, finite Floats, UTF-8 Strings, and Arrays and Hashes (String keys) of these
    #   come back as they were, and Symbols as Strings; all else is a {CodecError}. So it is
    #   with `:message_pack`, which also takes binary Strings, any Float, Integers of 64 bits,
    #   Hashes with other keys, and the types of its default factory
    # @option options [Symbol] :compress `:zstd`, `:lz4` or `:none`
    # @option options [Integer] :compress_from in bytes, encoded
    # @option options [Integer] :max_value_bytes the longest encoded value, before
    #   compression
    # @option options [Array<String>] :signing_keys of 16 bytes or more; the first
    #   signs, all verify (keyed BLAKE3)
    # @option options [Numeric, nil] :max_age seconds for which a validation is believed
    # @option options [Numeric, nil] :stale_while_revalidate seconds more in which a
    #   read is answered at once and validated later (RFC 5861)
    # @option options [Numeric, nil] :stale_if_error seconds more in which memory
    #   answers if the server does not (RFC 5861)
    # @option options [#call, nil] :on_event called with a name and a Hash of `key:`,
    #   `server:`, `error:` and the like, on the thread that the event happened on
    # @raise [InvalidOption]
    # @raise [LoadError] the coder's gem is missing
    def initialize(**options)
      options = OptionNames.symbols(options)
      @_bounds = BoundOptions.new(options)
      options = _complete(options)
      @_remote = RemoteOptions.new(options.slice(*RemoteOptions::DEFAULTS.keys))
      _take_listener(options[:on_evict])
      @_values = Values.check(options[:values] || (@_remote.server? ? :auto : :shared))
      lifetime = _nanoseconds(options[:expires_in])
      _open_for(lifetime, @_remote.settings(options))
      @_expires_in = options[:expires_in]&.to_f
      @_is_over_at_once = lifetime == 0 # rubocop:disable Style/NumericPredicate -- it may be nil
      extend(Remote) if @_remote.server?
    end

    # @!method get(key, if_none_match: nil, values: nil, max_age: nil, stale_while_revalidate: nil, stale_if_error: nil)
    #   Reads an entry. Atomic. Without a server a hit allocates no object and waits
    #   for nobody but a writer of the same shard. With one it is linearizable, unless
    #   the caller allows for an older answer.
    #   @param key [String, Symbol]
    #   @param if_none_match [String, nil] an etag that the caller has the value of
    #   @param values [:fresh, nil] `:fresh` for a private, mutable deep copy
    #   @param max_age [Numeric, nil] seconds; this and the next two as for the store
    #   @param stale_while_revalidate [Numeric, nil] seconds
    #   @param stale_if_error [Numeric, nil] seconds
    #   @return [Object, nil] the value; nil if there is none; {NOT_MODIFIED} if
    #     the etag still holds
    #   @raise [InvalidKey, InvalidEtag, InvalidOption, ClosedError]

    # @!method [](key)
    #   @return [Object, nil] as {#get}
    #   @raise [InvalidKey, ClosedError]

    # @!method set(key, value, expires_in: default, values: default, etag: nil, if_match: any, if_none_match: nil)
    #   Writes an entry. Atomic: readers see the old value or the new one. (With
    #   `:frozen` the value is frozen before the condition is looked at.)
    #   @param key [String, Symbol] its bytes are copied
    #   @param value [Object]
    #   @param expires_in [Numeric, ActiveSupport::Duration, nil] seconds; nil for ever
    #   @param values [Symbol] see {Store}
    #   @param etag [String, nil] the caller's own tag for this value; by default one
    #     never used before or, with a server, the content's (BLAKE3). 1 to 1024 bytes
    #     that may stand in an HTTP ETag (RFC 9110).
    #   @param if_match [String, nil] write only if the entry has this etag; nil:
    #     only if there is no entry
    #   @param if_none_match [String, nil] write only if the entry has another etag, or
    #     there is none; `"*"`: only if there is no entry (RFC 9110)
    #   @return [String] the etag, frozen
    #   @raise [PreconditionFailed] nothing was written
    #   @raise [ValueTooLarge] nothing was written: encoded, it is larger than
    #     `max_value_bytes:` (with a server)
    #   @raise [InvalidKey, InvalidEtag, InvalidOption, InvalidValue, ClosedError]

    # @!method []=(key, value)
    #   Writes an entry as {#set} does.
    #   @raise [InvalidKey, InvalidValue, ClosedError]

    # @!method delete(key, if_match: any)
    #   Removes an entry. Atomic.
    #   @param if_match [String, nil] remove only if the entry has this etag
    #   @return [Boolean] whether there was one
    #   @raise [PreconditionFailed] nothing was removed
    #   @raise [InvalidKey, InvalidEtag, ClosedError]

    # @!method key?(key)
    #   @return [Boolean] whether there is an entry; not counted as a read
    #   @raise [InvalidKey, ClosedError]

    # @!method etag(key)
    #   @return [String, nil] the entry's etag, frozen; not counted as a read
    #   @raise [InvalidKey, ClosedError]

    # @!method size
    #   @return [Integer] entries; one that expired is counted until it is
    #     removed, at most a quarter of a second later
    #   @raise [ClosedError]

    # @!method keys
    #   @return [Array<String>] the keys at about this moment, in no order: UTF-8
    #     where the bytes are, else binary
    #   @raise [ClosedError]

    # @!method clear
    #   Removes all entries. Atomic per entry, not as a whole: what others write
    #   meanwhile may stay. Other threads run in the meantime; those that clear as
    #   well share the work.
    #   @return [Integer] how many this call removed, without those whose time was over:
    #     these leave as `:expired`, whatever takes them out
    #   @raise [ClosedError]

    # @!method close
    #   Drops all entries and refuses everything from now on. May be called again.
    #   @return [nil]

    # @!method closed?
    #   @return [Boolean]

    # @!method stats
    #   @return [Hash{Symbol => Integer}] since the store was made: `:hits`,
    #     `:misses`, `:sets`; entries that left: `:evictions` (cause `:size`), `:expirations`,
    #     `:replacements`, `:deletes`, `:cleared`; `:refusals` (writes of what is too
    #     heavy, or too large), `:loads`, `:coalesced` (fetches that another one's load answered); and
    #     now: `:entries`, `:weight` (of all entries, against `max_bytes:`), `:pins`,
    #     `:segments`, `:bytes` (held by Rust: entries, keys,
    #     encoded values, table, bookkeeping and segments; not Ruby's objects).
    #     Each is exact, together they are not one moment.
    #   @raise [ClosedError]

    # Reads an entry, or loads it with the block and stores what that returns.
    #
    # One load at a time per key in this process: others wait for it and share
    # its result, also if the server did not take it, or it is larger than
    # `max_value_bytes:`. A block that raises, throws or is killed does so in its own
    # caller alone; those who waited then run their own blocks at once, side by side. So
    # they do if the key was written or deleted meanwhile: what was loaded is then returned
    # to its caller but neither stored nor shared, since it may be older than that write
    # (leases: Nishtala et al., NSDI 2013); what another process deletes meanwhile is
    # seen with `lock:` only. A fetch that would wait for itself runs its block at once.
    #
    # @param key [String, Symbol]
    # @param expires_in [Numeric, ActiveSupport::Duration, nil] seconds; nil for ever
    # @param values [Symbol, nil] see {Store}; `:fresh` gives this caller a copy
    #   of its own on a hit, too
    # @param skip_nil [Boolean] do not store nil
    # @param lock [Numeric, nil] seconds that a lease on the server lasts, so that one
    #   process at a time loads the key: the others wait for its value, or take over
    #   when the lease runs out. Any write or removal voids it
    # @param max_age [Numeric, nil] seconds; this and the next two as for {#get}
    # @param stale_while_revalidate [Numeric, nil] seconds
    # @param stale_if_error [Numeric, nil] seconds
    # @yieldparam key [String, Symbol]
    # @return [Object] the value
    # @raise [InvalidKey, InvalidOption, InvalidValue, ClosedError]
    def fetch(key, expires_in: INHERITED, values: nil, skip_nil: false, lock: nil,
              max_age: nil, stale_while_revalidate: nil, stale_if_error: nil)
      raise ArgumentError, "fetch needs a block that loads the value" unless block_given?

      Values.check(values) if values
      _nanoseconds(expires_in)
      found = _read_for_fetch(key, values, _freshness(max_age, stale_while_revalidate, stale_if_error))
      return found unless Absent === found

      _load_once(key, _load_options(expires_in, values, skip_nil, lock), found) { yield key }
    end

    # @param key [String, Symbol]
    # @return [Entry, nil] value, etag, age and time of expiry, all of one moment
    # @raise [InvalidKey, ClosedError]
    def entry(key, max_age: nil, stale_while_revalidate: nil, stale_if_error: nil)
      parts = _read_parts(key, nil, _freshness(max_age, stale_while_revalidate, stale_if_error))
      parts && Entry.new(*parts.first(4))
    end

    # Changes an entry: yields a private, mutable deep copy, and writes it back if
    # the entry is still the one that was copied; else does it again with the new one.
    #
    # What is written is the copy, or, for a value that cannot be changed in
    # place (Integer, Symbol, nil, …), what the block returns.
    #
    # @param key [String, Symbol]
    # @param retries [Integer] how often to do it again
    # @param expires_in [Numeric, ActiveSupport::Duration, nil] seconds; by
    #   default the entry's time is not changed
    # @param values [Symbol] see {Store}
    # @yieldparam draft [Object]
    # @return [String, nil] the new etag; nil, and the block was not run, if
    #   there is no entry
    # @raise [PreconditionFailed] others were faster each time
    # @raise [InvalidKey, InvalidOption, InvalidValue, ClosedError]
    def update(key, retries: 10, expires_in: KEPT, values: @_values)
      raise ArgumentError, "update needs a block that changes the value" unless block_given?
      raise InvalidOption.for(:retries, retries, "an Integer from 0") unless _natural?(retries)

      Values.check(values)
      lifetime = _nanoseconds(expires_in)
      key = _unchanging(key)
      expected = nil
      (retries + 1).times do
        current, expected, _age, _time_to_live, is_private = _read_parts(key, nil, Freshness::NONE)
        return nil unless expected

        draft = is_private ? current : _private_copy(current)
        returned = yield draft
        etag = _write_value(key, _frozen_draft?(draft) ? returned : draft, values, nil, lifetime, expected)
        return etag if etag
      end
      raise PreconditionFailed.for(key, expected)
    end

    # @param keys [Array<String, Symbol>]
    # @return [Hash] the keys that have an entry, as they were given, with the values
    # @raise [InvalidKey, ClosedError]
    def get_multi(*keys, max_age: nil, stale_if_error: nil)
      _freshness(max_age, nil, stale_if_error)
      keys.each_with_object({}) do |key, found|
        value = _read(key, ABSENT)
        found[key] = value unless Absent === value
      end
    end

    # Writes entries one after the other, each as {#set} does. All keys and
    # options are checked, and all values copied or encoded, before the first write.
    #
    # @param entries [Hash{String, Symbol => Object}]
    # @param expires_in [Numeric, ActiveSupport::Duration, nil] seconds; nil for ever
    # @param values [Symbol] see {Store}
    # @return [Hash{String, Symbol => String}] the etags, frozen
    # @raise [InvalidKey, InvalidOption, InvalidValue, ClosedError]
    def set_multi(entries, expires_in: INHERITED, values: @_values)
      lifetime = _check_entries(entries, expires_in, values)
      entries
        .to_h { |key, value| [key, _keep(key, value, values)] }
        .to_h { |key, (kept, encoded, weight)| [key, _write(key, kept, encoded, nil, lifetime, true, nil, weight)] }
    end

    # Like {#fetch} for each key: those without an entry are loaded one by one.
    #
    # @param keys [Array<String, Symbol>]
    # @param options [Hash] as for {#fetch}
    # @yieldparam key [String, Symbol]
    # @return [Hash] all keys, as they were given, with the values
    # @raise [InvalidKey, InvalidOption, InvalidValue, ClosedError]
    def fetch_multi(*keys, **options, &block)
      keys.to_h { |key| [key, fetch(key, **options, &block)] }
    end

    # Adds to an Integer; one that is not there counts as 0. Atomic.
    #
    # @param key [String, Symbol]
    # @param amount [Integer]
    # @param expires_in [Numeric, ActiveSupport::Duration, nil] seconds, for a number
    #   that was not there; one that was keeps its time
    # @return [Integer] the sum
    # @raise [InvalidValue] the entry is no Integer
    # @raise [InvalidKey, InvalidOption, ClosedError]
    def increment(key, amount = 1, expires_in: INHERITED)
      _check_amount(amount)
      lifetime = _nanoseconds(expires_in)
      key = _unchanging(key)
      loop do
        number, etag = _read_parts(key, nil, Freshness::NONE)
        raise InvalidValue.for(number, "add to", "it is no Integer") unless etag.nil? || Integer === number

        sum = (number || 0) + amount
        return sum if _write_value(key, sum, @_values, nil, etag ? :kept : lifetime, etag)
      end
    end

    # The same with the amount's opposite; see {#increment}.
    #
    # @param key [String, Symbol]
    # @param amount [Integer]
    # @param options [Hash] as for {#increment}
    # @return [Integer] the difference
    # @raise [InvalidValue] the entry is no Integer
    # @raise [InvalidKey, InvalidOption, ClosedError]
    def decrement(key, amount = 1, **options)
      _check_amount(amount)
      increment(key, -amount, **options)
    end

    # Removes the entries whose keys match a pattern as Redis' `KEYS` has them: `*` for
    # any text, `?` for any byte, `[a-c]`, `[^a]`, and a backslash before a character
    # that stands for itself. Looks at all keys; with a server, at all that it has. The same
    # keys match with a server and without.
    #
    # @param pattern [String]
    # @return [Integer] how many
    # @raise [InvalidOption, ClosedError]
    def delete_matched(pattern)
      _check_pattern(pattern)
      _keys_matching(pattern).count { |key| _remove(key, true) }
    end

    # @param keys [Array<String, Symbol>]
    # @return [Integer] how many entries were removed
    # @raise [InvalidKey, ClosedError] nothing was removed
    def delete_multi(*keys)
      keys.each { |key| _check(key, nil) }
      keys.count { |key| _remove(key, true) }
    end

    # Goes through the entries that are there when it begins, each with the value
    # it had then; not counted as reads. The block may use the store.
    #
    # @yieldparam key [String]
    # @yieldparam value [Object]
    # @return [Enumerator, self]
    # @raise [ClosedError]
    def each(&block)
      return to_enum { size } unless block

      snapshot = _take_snapshot
      begin
        while (pair = _next_of(snapshot))
          yield(*pair)
        end
      ensure
        _discard(snapshot)
      end
      self
    end

    # Drops what this process holds: with a server its copies, which the next reads bring
    # again; without one all entries.
    #
    # @return [Integer] how many entries memory held
    # @raise [ClosedError]
    def forget
      clear
    end

    # @return [PinList] the registry that keeps the stored objects alive
    def pin_list
      PinList.new(self)
    end

    # @return [String] entries and bounds, never a value
    def inspect
      return "#<#{self.class} closed>" if closed?

      facts = { entries: size, **%i[max_entries max_bytes].zip(_bounds).to_h, expires_in: @_expires_in,
                values: @_values }
      "#<#{self.class} #{facts.compact.map { |name, value| "#{name}=#{value}" }.join(" ")}>"
    end

    # What `Ractor.make_shareable` does to a store that Ractors are to share. From
    # then on it takes shareable values only.
    #
    # @return [self]
    # @raise [NotShareable] once an object was stored, or if the store weighs its entries or
    #   has an `on_evict:`, which belong to one Ractor; nothing is changed then
    def freeze
      if @_bounds.weighs? || @_on_evict
        raise NotShareable, "a store with max_bytes:, weigher: or on_evict: cannot be shared by Ractors"
      end
      unless frozen? || _segments.zero?
        raise NotShareable, "a store can be shared by Ractors only if nothing was stored in it before"
      end

      super
    end

    # @raise [NotCopyable] always, for `dup` and `clone`
    def initialize_copy(_other)
      raise NotCopyable, "a #{self.class} cannot be copied: share it, or make a new one"
    end

    # @raise [NotCopyable] always
    def marshal_dump
      raise NotCopyable, "a #{self.class} cannot be marshalled: it lives in this process"
    end

    # In this process's memory, whatever a server says.
    alias _held? key?
    alias _held_etag etag
    private :_held?, :_held_etag

    private

    def _open_for(lifetime, settings)
      is_plain = @_values == :shared && !@_remote.server? && !@_bounds.weighs?
      _open_store(@_bounds.max_entries, @_bounds.max_bytes, @_bounds.idle, lifetime, is_plain, !@_on_evict.nil?,
                  settings)
    end

    # {#get} with keywords.
    def _get_with(key, if_none_match: nil, values: nil, max_age: nil, stale_while_revalidate: nil, stale_if_error: nil)
      raise InvalidOption.for(:values, values, ":fresh or nil") unless [nil, :fresh].include?(values)

      freshness = _freshness(max_age, stale_while_revalidate, stale_if_error)
      value, etag, _age, _time_to_live, is_private = _read_parts(key, if_none_match, freshness)
      return value unless etag
      return NOT_MODIFIED if if_none_match && etag.b == if_none_match.b

      values && !is_private ? _private_copy(value) : value
    end

    # {#set} with keywords, or where the value is not kept as it is.
    def _set_with(key, value, expires_in: INHERITED, values: @_values, etag: nil, if_match: ANY, if_none_match: nil)
      _check(key, etag)
      lifetime = _nanoseconds(expires_in)
      condition = _condition(if_match, if_none_match)
      _write_value(key, value, Values.check(values), etag, lifetime, condition) ||
        raise(PreconditionFailed.for(key, condition))
    end

    # The etag, or nil if the condition does not hold.
    def _write_value(key, value, values, etag, lifetime, condition)
      kept, is_encoded, weight = _keep(key, value, values)
      written = _write(key, kept, is_encoded, etag, lifetime, condition, nil, weight)
      return written if written || !condition.nil?

      unreadable = _unreadable_etag(key)
      unreadable && _write(key, kept, is_encoded, etag, lifetime, unreadable, nil, weight)
    end

    # What memory keeps of a value, whether that is an encoding, and what it weighs.
    def _keep(key, value, values)
      kept, is_encoded = Values.keep(value, values)
      [kept, is_encoded, _weight(key, value, is_encoded ? kept : nil)]
    end

    # {#delete} with keywords.
    def _delete_with(key, if_match: ANY)
      condition = _condition(if_match)
      deleted = _remove(key, condition)
      deleted.nil? ? raise(PreconditionFailed.for(key, condition)) : deleted
    end

    # Value, etag, age, time to live and whether the value is the caller's own; or nil.
    def _read_parts(key, known, _freshness)
      _read_entry(key, known)
    end

    # The value as a reader under this policy gets it, or ABSENT.
    def _read_as(key, values, _freshness)
      values == :fresh ? _read_fresh(key) : _read(key, ABSENT)
    end

    # A private, mutable copy of the value, or ABSENT.
    def _read_fresh(key)
      value, etag, _age, _time_to_live, is_private = _read_entry(key, nil)
      return ABSENT unless etag

      is_private ? value : _private_copy(value)
    end
  end
end
