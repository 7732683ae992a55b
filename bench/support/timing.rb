# frozen_string_literal: true

module Bench
  # Times loops over the same items, all peers in turn in every round, so that a
  # change of the machine's speed hits all alike; in processor time. What the empty
  # loop takes is subtracted. A turn is as many passes as fill 10 ms, after one that
  # is not counted: it brings into the processor's caches what the peer before drove out.
  class Timing
    TURN = 0.01

    Peer = Struct.new(:cache, :pass, :passes, :times, :reset)

    # @param keys [Array] one operation each
    # @param values [Array] for code that reads `values[i]`
    # @param empty [String] what the empty loop does
    def initialize(keys:, rounds:, values: keys, empty: "")
      @keys = keys
      @values = values
      @rounds = rounds
      @peers = {}
      add(:empty, nil, empty)
    end

    # @param cache [Object] what the code calls `cache`
    # @param code [String] one operation on `key`, compiled into a loop of its
    #   own, so that every peer has its own inline caches, as in an application
    # @param reset [Proc, nil] makes a new cache before each pass, untimed
    def add(name, cache, code, reset: nil)
      @peers[name] = Peer.new(cache, compile(code), 1, [], reset)
    end

    def run
      @peers.each_value { |peer| calibrate(peer) }
      random = Bench.random
      @rounds.times { @peers.values.shuffle(random: random).each { |peer| peer.times << turn(peer) } }
      self
    end

    # @return [Array<Array<String>>] per peer: name, nanoseconds, and times those of `base`
    def rows(base)
      all_nanoseconds.map do |name, nanoseconds|
        [name, format("%.1f", nanoseconds), format("%.2f", ratio(name, base))]
      end
    end

    # @return [Hash{String => Float}]
    def all_nanoseconds
      (@peers.keys - [:empty]).to_h { |name| [name, nanoseconds(name)] }
    end

    # @return [Float] nanoseconds per operation
    def nanoseconds(name)
      Bench.median(net(name)) * 1e9
    end

    # @return [Float, nil] the median of the rounds' ratios; nil without a peer of that name
    def ratio(name, base)
      return unless @peers.key?(name) && @peers.key?(base)

      Bench.median(net(name).zip(net(base)).map { |time, of_base| time / of_base })
    end

    private

    def net(name)
      @peers.fetch(name).times.zip(@peers.fetch(:empty).times).map { |time, nothing| time - nothing }
    end

    def calibrate(peer)
      turn(peer)
      peer.passes = (TURN / (turn(peer) * @keys.size)).ceil
    end

    # Seconds per operation.
    def turn(peer)
      time = peer.reset ? passes_on_new_caches(peer) : passes_on_same_cache(peer)
      time / (peer.passes * @keys.size)
    end

    def passes_on_same_cache(peer)
      passes(peer, peer.cache, 1)
      passes(peer, peer.cache, peer.passes)
    end

    def passes_on_new_caches(peer)
      peer.passes.times.sum { passes(peer, peer.reset.call, 1) }
    end

    def passes(peer, cache, count)
      started = Bench.processor_time
      count.times { peer.pass.call(cache, @keys, @values) }
      Bench.processor_time - started
    end

    # rubocop:disable Security/Eval, Style/DocumentDynamicEvalDefinition -- the benches' own code
    def compile(code)
      eval(<<~RUBY, TOPLEVEL_BINDING.dup, __FILE__, __LINE__ + 1)
        lambda do |cache, keys, values|
          i = 0
          size = keys.size
          while i < size
            key = keys[i]
            #{code}
            i += 1
          end
        end
      RUBY
    end
    # rubocop:enable Security/Eval, Style/DocumentDynamicEvalDefinition
  end
end
