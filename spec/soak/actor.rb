# frozen_string_literal: true

require "timeout"

module Soak
  # One thread at one store: any operation on any key, in an order that the seed
  # decides, until it is told to stop.
  class Actor
    COUNTERS = 50
    # How often each is done, in 10,000; the last ones look at all keys.
    MIX = {
      get: 2700, recent: 300, hit_again: 500, fresh: 300, index: 700, set: 1200, assign: 600, expiring: 600,
      conditional: 300, delete: 500, fetch: 1000, fetch_alone: 200, fetch_many: 150, update: 250, count: 250, key?: 100,
      etag: 100, entry: 100, read_many: 60, write_many: 40, delete_many: 30, stats: 5, forget_entry: 5, each: 3,
      keys: 2, hottest: 2, delete_matched: 2
    }.freeze
    BAG = MIX.flat_map { |name, share| [name] * share }.freeze
    POLICIES = %i[shared frozen copied fresh auto].freeze
    # What has to be expected where others write, and servers come and go.
    SourceFailed = Class.new(StandardError)
    EXPECTED = [Ccache::PreconditionFailed, Ccache::RemoteFailure, Timeout::Error, SourceFailed].freeze
    # A call that takes longer is left, as a web server's threads leave theirs.
    LONGEST_CALL = 5

    attr_reader :steps, :failures

    # @param keys [Integer] how many there are
    # @param server [Boolean] whether the store has one
    def initialize(store, seed, keys:, server:)
      @store = store
      @keys = keys
      @random = Random.new(seed)
      @fetch_options = server ? { lock: 1 } : {}
      @recent = server ? { max_age: 0.05, stale_while_revalidate: 0.1, stale_if_error: 1 } : {}
      @steps = 0
      @failures = Hash.new(0)
    end

    # @yieldreturn [Boolean] whether to stop
    def run
      until yield
        step
        @steps += 1
      end
    end

    private

    def step
      name = BAG.sample(random: @random)
      @random.rand(200).zero? ? Timeout.timeout(LONGEST_CALL) { send(name) } : send(name)
    rescue *EXPECTED => e
      @failures[e.class.name] += 1
      sleep 0.01 if e.is_a?(Ccache::RemoteFailure)
    end

    # Low numbers come more often.
    def key
      "key #{((@random.rand**3) * @keys).to_i}"
    end

    # Says which key it belongs to.
    def value_of(key)
      [key, "x" * @random.rand(400), { number: @random.rand(1000), at: [1, 2.5, :symbol] }]
    end

    def see(key, value)
      return if value.nil? || Ccache::NOT_MODIFIED.equal?(value)

      raise "#{key} holds a value of #{value.first}" unless value.first == key
    end

    def get
      name = key
      see(name, @store.get(name))
    end

    # From memory, where there is a server, and validated behind the answer.
    def recent
      name = key
      see(name, @store.get(name, **@recent))
    end

    def hit_again
      name = key
      etag = @store.etag(name)
      see(name, @store.get(name, if_none_match: etag)) if etag
    end

    def fresh
      name = key
      value = @store.get(name, values: :fresh)
      see(name, value)
      value&.push("mine alone")
    end

    def index
      name = key
      see(name, @store[name])
    end

    def set
      name = key
      @store.set(name, value_of(name), values: POLICIES.sample(random: @random))
    end

    def assign
      name = key
      @store[name] = value_of(name)
    end

    def expiring
      name = key
      @store.set(name, value_of(name), expires_in: 0.01 + @random.rand(3.0))
    end

    def conditional
      name = key
      case @random.rand(3)
      when 0 then @store.set(name, value_of(name), if_match: @store.etag(name), etag: "v#{@random.rand(5)}")
      when 1 then @store.set(name, value_of(name), if_none_match: "*")
      else @store.delete(name, if_match: @store.etag(name))
      end
    end

    def delete
      @store.delete(key)
    end

    def fetch
      name = key
      see(name, @store.fetch(name, expires_in: 60) { load(name) })
    end

    # One process at a time, where there is a server.
    def fetch_alone
      name = key
      see(name, @store.fetch(name, **@fetch_options) { load(name) })
    end

    def fetch_many
      names = Array.new(5) { key }.uniq
      @store.fetch_multi(*names) { |name| load(name) }.each { |name, value| see(name, value) }
    end

    # Now and then a loader gives way, or fails.
    def load(name)
      case @random.rand(50)
      when 0 then Thread.pass
      when 1 then raise SourceFailed, "the source does not answer"
      end
      value_of(name)
    end

    def update
      name = key
      @store.update(name) { |draft| draft[2] = @random.rand(1000) }
    end

    def count
      name = "counter #{@random.rand(COUNTERS)}"
      @random.rand(2).zero? ? @store.increment(name, 1, expires_in: 5) : @store.decrement(name, 2)
    end

    def key?
      @store.key?(key)
    end

    def etag
      @store.etag(key)
    end

    def entry
      name = key
      see(name, @store.entry(name)&.value)
    end

    def read_many
      @store.get_multi(*Array.new(20) { key }).each { |name, value| see(name, value) }
    end

    def write_many
      @store.set_multi(Array.new(20) { key }.to_h { |name| [name, value_of(name)] }, expires_in: 100)
    end

    def delete_many
      @store.delete_multi(*Array.new(5) { key })
    end

    def stats
      @store.stats
      @store.inspect
    end

    # A walk that is left in the middle, and one of the pins.
    def forget_entry
      @store.each.first(3)
      @store.pin_list.first(3)
    end

    def each
      @store.each { |name, value| see(name, value) unless value.is_a?(Integer) }
    end

    def keys
      unknown = @store.keys.grep_v(/\A(key|counter|child) \d+\z/)
      raise "nobody stored #{unknown}" unless unknown.empty?
    end

    def hottest
      @store.hottest(10)
    end

    def delete_matched
      @store.delete_matched("key *#{@random.rand(100)}")
    end
  end
end
