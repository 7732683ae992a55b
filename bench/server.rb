# frozen_string_literal: true

require "redis"
require "tmpdir"
require_relative "support"
require_relative "../spec/support/servers"

# What the benches with a server share: a server of their own, what they compare
# with, and timing in turns.
module Bench
  NAMESPACE = "bench"
  # What a validation asks for, the command that redis-benchmark repeats.
  VALIDATION = %w[0 23].freeze
  # A busy machine may keep the server waiting: that is to be slow, not an error.
  PATIENCE = { connect_timeout: 30, read_timeout: 30, write_timeout: 30 }.freeze

  # On which CPUs server and clients run. It is decided here since it decides the
  # figures, and the system's scheduler decides now this way, now that: to wake a
  # process on another CPU that idles takes longer than all the rest of an exchange,
  # on a virtual machine several times as long.
  module Placement
    AS_IT_COMES = "wherever the system puts them"

    class << self
      # @return [Hash{String => Array(Integer, Integer), nil}] the server's CPU and
      #   the clients', by what that is called
      def all
        one, two = cpus
        return { AS_IT_COMES => nil } unless two

        { "client and server on two CPUs" => [one, two], "client and server on one CPU" => [one, one] }
      end

      # Runs the block with this process, and those that it starts, on one CPU.
      def with(cpu)
        before = cpus
        pin(Process.pid, cpu)
        yield
      ensure
        pin(Process.pid, before.join(","))
      end

      # With all threads that it has.
      def pin(pid, cpus)
        system("taskset", "-a", "-p", "-c", cpus.to_s, pid.to_s, out: File::NULL, exception: true)
      end

      private

      # Those that this process may run on; none if there is no taskset.
      def cpus
        list = IO.popen(["taskset", "-p", "-c", Process.pid.to_s], &:read)[/: (.*)/, 1]
        list.split(",").flat_map { |range| Range.new(*range.split("-").map(&:to_i).minmax).to_a }
      rescue SystemCallError
        []
      end
    end
  end

  # A server with its clients, all over loopback.
  class Site
    class << self
      # @yieldparam site [Site]
      def open
        site = new
        yield site
      ensure
        site&.close
      end

      # A new one at each place.
      #
      # @yieldparam site [Site]
      # @return [Hash{String => Object}] what the block returned, by {Placement}
      def at_each_placement(&measure)
        Placement.all.transform_values do |(of_server, of_clients)|
          next Site.open(&measure) unless of_server

          Placement.with(of_clients) { Site.open { |site| measure.call(site.at(of_server)) } }
        end
      end

      def about
        server = Environment.server or abort "no #{Server::BINARIES.join(" or ")} found: run bin/setup"
        "#{server}, started for this, loopback; redis gem #{Redis::VERSION}, driver in Ruby"
      end
    end

    def initialize
      @server = Server.new
      @floors = []
    end

    # The server goes to that CPU.
    def at(cpu)
      Placement.pin(@server.command("INFO", "server")[/^process_id:(\d+)/, 1], cpu)
      self
    end

    def url
      @server.url
    end

    # @param timeouts [Hash] in seconds
    def store(timeouts = {}, **options)
      Ccache::Store.new(redis: { url: @server.url, **PATIENCE, **timeouts }, namespace: NAMESPACE, values: :shared,
                        **options)
    end

    # The server does not answer as long as the block runs.
    def paused
      @server.pause
      yield
    ensure
      @server.resume
    end

    # There is no server as long as the block runs.
    def down
      @server.kill
      yield
    ensure
      @server.start
    end

    # A connection of the redis gem, with its driver in Ruby.
    def redis
      Redis.new(url: @server.url, driver: :ruby, **PATIENCE)
    end

    # @return [Floor, nil] nil without a C compiler
    def floor(*keys)
      floor = Floor.compile(@server.port, keys.map { |key| server_key(key) })
      @floors << floor if floor
      floor
    end

    # Where the store keeps what it calls `key`.
    def server_key(key)
      "#{NAMESPACE}:#{key}"
    end

    # How many validations the server has answered.
    def validations
      @server.calls("getrange")
    end

    # The same command by redis-benchmark, a process of its own.
    #
    # @return [Float] seconds per command
    def benchmark(key, requests:, clients: 1, pipeline: 1)
      command = ["redis-benchmark", "-p", @server.port, "-c", clients, "-P", pipeline, "-n", requests, "--csv",
                 "getrange", server_key(key), *VALIDATION]
      rows = IO.popen(command.map(&:to_s), err: File::NULL, &:readlines)
      1 / rows.last.scan(/"([^"]*)"/).flatten.fetch(1).to_f
    end

    def close
      @floors.each(&:close)
      @server.stop
    end
  end

  # The exchange of a validation by a C program (floor.c): what no client goes below.
  class Floor
    SOURCE = File.expand_path("floor.c", __dir__)

    # @return [Floor, nil] nil without a C compiler
    def self.compile(port, keys)
      return unless system("cc", "--version", out: File::NULL, err: File::NULL)

      Dir.mktmpdir("ccache-floor") do |directory|
        program = File.join(directory, "floor")
        system("cc", "-O2", "-o", program, SOURCE, exception: true)
        new(program, port, keys)
      end
    end

    def initialize(program, port, keys)
      @pipe = IO.popen([program, port.to_s, *keys], "r+")
      run(1) # it is running before its file goes
    end

    # @return [Array<Float>] seconds on the wall and on the processor
    def run(count)
      @pipe.puts(count)
      line = @pipe.gets or abort "floor.c failed"
      line.split.map { |nanoseconds| nanoseconds.to_i / 1e9 }
    end

    def close
      @pipe.close
    end
  end

  # Times operations that wait for a server: in every round each has a turn of 10 ms,
  # in random order, so that a change of the machine's speed hits all alike. Time on
  # the wall, and processor time of the process with all its threads.
  class Rounds
    TURN = 0.01

    Variant = Struct.new(:run, :operations, :times)

    def initialize(rounds)
      @rounds = rounds
      @variants = {}
    end

    # @yield one operation
    def add(name, &operation)
      add_turns(name) { |count| Bench.timed { count.times(&operation) } }
    end

    # @param floor [Floor, nil] nil is left out
    def add_floor(name, floor)
      add_turns(name) { |count| floor.run(count) } if floor
    end

    def run
      @variants.each_value { |variant| calibrate(variant) }
      random = Bench.random
      @rounds.times do |round|
        @variants.values.shuffle(random: random).each { |variant| variant.times << turn(variant) }
        yield round if block_given?
      end
      self
    end

    # @return [Float, nil] seconds per operation; nil for one that was left out
    def wall(name)
      median(name, :first)
    end

    def processor(name)
      median(name, :last)
    end

    # @param which [:first, :last] on the wall, on the processor
    # @return [Float, nil] the median of the rounds' ratios
    def ratio(name, base, which = :first)
      return unless @variants.key?(name) && @variants.key?(base)

      Bench.median(times(name, which).zip(times(base, which)).map { |time, of_base| time / of_base })
    end

    private

    def add_turns(name, &run)
      @variants[name] = Variant.new(run, 1, [])
    end

    def median(name, which)
      Bench.median(times(name, which)) if @variants.key?(name)
    end

    def times(name, which)
      @variants.fetch(name).times.map(&which)
    end

    def calibrate(variant)
      turn(variant)
      variant.operations = (TURN / turn(variant).first).ceil
      variant.operations = (TURN / turn(variant).first).ceil # the first ones are slower
    end

    def turn(variant)
      variant.run.call(variant.operations).map { |time| time / variant.operations }
    end
  end

  class << self
    # @return [Array(Float, Float)] seconds on the wall, and on the processor by all
    #   threads of this process
    def timed
      wall = now
      processor = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
      yield
      [now - wall, Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) - processor]
    end

    # Seconds as microseconds, for a table.
    def microseconds(seconds)
      return "not measured" unless seconds

      seconds < 0.001 ? format("%.1f", seconds * 1e6) : count(seconds * 1e6)
    end

    # What no client can do better, beside a bar.
    def allowed(floor)
      floor ? format("the floor allows %.2f", floor) : "floor not measured: no C compiler"
    end
  end
end
