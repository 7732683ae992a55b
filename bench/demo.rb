# frozen_string_literal: true

# The gem's main job on real input, without a server; bin/demo builds the gem and
# runs this. Each entry is loaded once through Ccache::Store#fetch and read back
# as the very same object while garbage collections and compactions run.
#
#   ruby bench/demo.rb         the specifications of every gem on this machine
#   ruby bench/demo.rb FILE    the entries of a JSON or YAML file

require_relative "support"
require_relative "demo_input"

# The run, step by step.
class Demo
  ENTRIES = Bench.scaled(1_000_000, quick: 10_000)
  READS_SECONDS = Bench.scaled(3, quick: 0.2)
  ROUNDS = 31
  PAUSES = 15
  TIMING_SECONDS = Bench.scaled(2, quick: 0.1)

  def initialize(input)
    @input = input
    @store = Ccache::Store.new(max_entries: nil)
  end

  # @return [Boolean] whether all objects stayed the same
  def run
    puts "", RUBY_DESCRIPTION, Bench::Environment.machine, ""
    load_once
    compare_reads
    kept = read_under_gc
    compare_pauses
    kept
  end

  private

  def keys
    @input.keys
  end

  # Remembers each object by its `object_id`, which no other object ever gets,
  # so that nothing but the store keeps the object itself alive.
  def load_once
    took = Bench.seconds { @ids = keys.to_h { |key| [key, fetch(key).object_id] } }
    @bytes = keys.to_h { |key| [key, Marshal.dump(fetch(key))] }
    again = keys.count { |key| same?(key, fetch(key)) }
    puts "#{@input.description}, #{Bench.count(@bytes.values.join.bytesize)} bytes as Marshal",
         "#{@store.stats[:loads]} loads in #{Bench.count(took * 1000)} ms; " \
         "fetched again, #{again} were the same objects, without a load"
  end

  def fetch(key)
    @store.fetch(key) { |wanted| @input.load(wanted) }
  end

  def same?(key, object)
    @ids[key] == object.object_id
  end

  def decode(key)
    Marshal.load(@bytes[key]) # rubocop:disable Security/MarshalLoad -- dumped by load_once
  end

  def compare_reads
    readers = self.readers
    timing = Bench::Timing.new(keys: keys, rounds: rounds)
    readers.each { |name, (cache, code, _read)| timing.add(name, cache, code) }
    timing.run
    rows = readers.map { |name, (_cache, _code, read)| [name, *speed(timing, name), same_objects(read)] }
    heading = ["one read, median of #{rounds} rounds", "reads per second", "ns per read", "times the store",
               "the same object"]
    report.table(heading, *rows)
    puts "  MemoryStore: ActiveSupport is not installed" unless Bench.memory_store?
  end

  # Fewer where the input is so large that decoding it takes long.
  def rounds
    @rounds ||= begin
      decoding = Bench.seconds { keys.each { |key| decode(key) } }
      (TIMING_SECONDS / decoding).floor.clamp(3, ROUNDS)
    end
  end

  # By name: the cache, one read as the timing compiles it, and the same as a Proc.
  def readers
    readers = {
      store_name => [@store, "cache.get(key)", @store.method(:get)],
      "Marshal.load of stored bytes" => [@bytes, "Marshal.load(cache[key])", method(:decode)]
    }
    if Bench.memory_store?
      memory_store = Bench.memory_store
      keys.each { |key| memory_store.write(key, @store.get(key)) }
      readers["ActiveSupport MemoryStore#read"] = [memory_store, "cache.read(key)", memory_store.method(:read)]
    end
    readers
  end

  def store_name
    "Ccache::Store#get"
  end

  def speed(timing, name)
    nanoseconds = timing.nanoseconds(name)
    [Bench.count(1e9 / nanoseconds), Bench.count(nanoseconds), format("%.1f", timing.ratio(name, store_name))]
  end

  def same_objects(read)
    same = keys.count { |key| same?(key, read.call(key)) }
    "#{Bench.count(same)} of #{Bench.count(keys.size)}"
  end

  def read_under_gc
    (same, reads), collections, compactions = while_collecting { read_for(READS_SECONDS) }
    intact = keys.count { |key| Marshal.dump(@store.get(key)) == @bytes[key] }
    report.table(["while another thread runs GC.start and GC.compact", ""],
                 ["collections, compactions", "#{Bench.count(collections)}, #{Bench.count(compactions)}"],
                 ["reads of the store that gave the same object", "#{Bench.count(same)} of #{Bench.count(reads)}"],
                 ["contents unchanged afterwards", "#{Bench.count(intact)} of #{Bench.count(keys.size)}"])
    same == reads && intact == keys.size
  end

  # @return [Array(Integer, Integer)] reads that gave the same object, all reads
  def read_for(seconds)
    same = reads = 0
    deadline = Bench.now + seconds
    while Bench.now < deadline
      same += keys.count { |key| same?(key, @store.get(key)) }
      reads += keys.size
      Thread.pass # else the collector gets its turn ten times a second
    end
    [same, reads]
  end

  # @return [Array] what the block returns, and how many collections and
  #   compactions another thread ran meanwhile
  def while_collecting
    before = collected
    stop = false
    collector = Thread.new do
      until stop
        GC.start
        GC.compact if GC.respond_to?(:compact)
        sleep 0.001
      end
    end
    result = yield
    stop = true
    collector.join
    [result, *collected.zip(before).map { |now, earlier| now - earlier }]
  end

  def collected
    [GC.count, GC.stat[:compact_count] || 0]
  end

  def compare_pauses
    store = pause { Ccache::Store.new(max_entries: nil) }
    hash = pause { {} }
    report.table(["a minor GC after one insert, #{Bench.count(ENTRIES)} entries", "ms", "times the store"],
                 ["Ccache::Store", format("%.2f", store), "1.0"],
                 ["Hash", format("%.2f", hash), format("%.1f", hash / store)])
    puts
  end

  def pause
    Bench.in_child do
      cache = yield
      ENTRIES.times { |i| cache["key:#{i}"] = Object.new }
      Bench.settle
      Bench.median(Bench.minor_gc_pauses(PAUSES) { |round| cache["new:#{round}"] = Object.new })
    end
  end

  def report
    @report ||= Bench::Report.new
  end
end

begin
  abort "demo: expected one file at most, got #{ARGV.size}" if ARGV.size > 1
  Demo.new(DemoInput.from(ARGV.first)).run or abort "demo: an object was not the one that was stored"
rescue DemoInput::Unusable => e
  abort "demo: #{e.message}"
end
