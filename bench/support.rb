# frozen_string_literal: true

$LOAD_PATH.unshift(File.expand_path("../lib", __dir__))

require "etc"
require "ccache"

# What the benches share: timing peers in turn, children with a heap of their
# own, and a report with a bar beside each figure that has one.
#
# With `--check`, or `BENCH_CHECK=1`, a bench exits non-zero if it misses a bar.
module Bench
  SEED = 42

  class << self
    def check?
      ARGV.include?("--check") || ENV["BENCH_CHECK"] == "1"
    end

    def random
      Random.new(SEED)
    end

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def seconds
      started = now
      yield
      now - started
    end

    # Time of this thread on a processor: what else runs on the machine, which
    # interrupts the slow more often than the fast, does not count.
    def processor_time
      Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
    end

    def processor_milliseconds
      started = processor_time
      yield
      (processor_time - started) * 1000
    end

    def median(numbers)
      sorted = numbers.sort
      (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2.0
    end

    # 1234567.0 as "1,234,567"
    def count(number)
      number.round.to_s.gsub(/(?<=\d)(?=(\d{3})+\z)/, ",")
    end

    # Whether a peer can be measured; benches go on without those that are not installed.
    def available?(feature)
      require feature
      true
    rescue LoadError
      false
    end

    def memory_store?
      available?("active_support") && available?("active_support/cache")
    end

    # Without a bound, so that it never prunes what the others keep.
    def memory_store
      ActiveSupport::Cache::MemoryStore.new(size: 1 << 40)
    end

    # Runs the block in a child process, whose heap nothing else has touched.
    #
    # @return [Object] what the block returned, through Marshal
    def in_child
      reader, writer = IO.pipe(binmode: true)
      child = fork do
        reader.close
        writer.write(Marshal.dump(yield))
        writer.close
        exit!(true)
      rescue Exception => e # rubocop:disable Lint/RescueException -- must not run the parent's at_exit
        warn e.full_message
        exit!(false)
      end
      writer.close
      answer = reader.read
      Process.wait(child)
      abort "a child of the bench failed" unless Process.last_status.success?

      Marshal.load(answer) # rubocop:disable Security/MarshalLoad -- dumped by the child
    end

    # Makes everything that lives now old, and leaves no sweep to do.
    def settle
      5.times { GC.start }
    end

    # Pauses of minor GCs, each right after what the block does. They mark, and
    # begin the sweep, which goes on in steps as objects are allocated: a GC that
    # an allocation starts pauses for just that. The sweep of the GC before is
    # brought to its end first, untimed.
    #
    # @return [Array<Float>] milliseconds
    def minor_gc_pauses(rounds, immediate_sweep: false)
      Array.new(rounds) do |round|
        GC.start(full_mark: false)
        yield round
        processor_milliseconds { GC.start(full_mark: false, immediate_sweep: immediate_sweep) }
      end
    end

    def machine
      "#{processor}, #{Etc.nprocessors} CPUs, #{Etc.uname.values_at(:sysname, :release, :machine).join(" ")}"
    end

    private

    def processor
      File.foreach("/proc/cpuinfo").grep(/\Amodel name/).first&.split(": ")&.last&.strip || "unknown processor"
    rescue SystemCallError
      "unknown processor"
    end
  end

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
      (@peers.keys - [:empty]).map do |name|
        [name, format("%.1f", nanoseconds(name)), format("%.2f", ratio(name, base))]
      end
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

  # Prints what was asked, tables and bars.
  class Report
    # @param question [String]
    # @param measured [Array<String>] what, and how often
    # @yieldparam report [Report]
    def self.open(question, *measured)
      $stdout.sync = true
      report = new
      about = ["#{RUBY_DESCRIPTION}, ccache #{Ccache::VERSION}", Bench.machine, *measured]
      puts question, "", *about.map { |line| "  #{line}" }
      yield report
      report.close
    end

    def initialize
      @missed = []
    end

    # @param rows [Array<Array<String>>] the first one is the heading
    def table(*rows)
      columns = rows.map(&:size).max
      widths = Array.new(columns) { |i| rows.map { |row| row[i].to_s.size }.max }
      puts
      rows.each do |first, *rest|
        cells = rest.zip(widths.drop(1)).map { |cell, width| cell.to_s.rjust(width) }
        puts ["  #{first.to_s.ljust(widths.first)}", *cells].join("   ").rstrip
      end
    end

    # @param heading [String, nil] what the bars have in common
    def bars(heading = nil)
      puts
      puts "  #{heading}:" if heading
      @heading = heading
      yield
    end

    # Holds a figure against a bar: `at_most`, `at_least`, `more_than` or
    # `equal_to`. A figure that could not be measured, nil, misses it.
    #
    # @param note [String, nil] what is worth knowing beside the verdict
    def bar(what, figure, note: nil, **bar)
      relation, wanted = bar.first
      met = figure && reached?(figure, relation, wanted)
      @missed << [@heading, what].compact.join(": ") unless met
      shown = figure ? number(figure) : "not measured"
      puts format("  %-58<what>s %12<shown>s   bar: %<relation>s %<wanted>s   %<verdict>s%<note>s",
                  what: what, shown: shown, relation: relation.to_s.tr("_", " "), wanted: number(wanted),
                  verdict: met ? "met" : "MISSED", note: note && "; #{note}")
    end

    # A figure without a bar, among those with one.
    def figure(what, figure)
      puts format("  %-58<what>s %12<shown>s", what: what, shown: figure ? number(figure) : "not measured")
    end

    def close
      puts
      return if @missed.empty?

      puts "  #{@missed.size} missed: #{@missed.join("; ")}", ""
      exit(1) if Bench.check?
    end

    private

    def reached?(figure, relation, wanted)
      case relation
      when :at_most then figure <= wanted
      when :at_least then figure >= wanted
      when :more_than then figure > wanted
      when :equal_to then figure == wanted
      else raise ArgumentError, "a bar is at_most, at_least, more_than or equal_to, not #{relation}"
      end
    end

    def number(figure)
      figure.is_a?(Integer) ? Bench.count(figure) : format("%.2f", figure)
    end
  end
end
