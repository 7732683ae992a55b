# frozen_string_literal: true

require "json"
require "set"
require_relative "../package/installed_gem"
require_relative "../support/rails_site"
require_relative "http_client"

# The app under Puma, with the gem installed: two workers of four threads on a free port.
class PumaSite < RailsSite
  WORKERS = 2
  PATIENCE = 180

  attr_reader :port

  # @param cache [String] see RailsApp::CACHES
  # @param forks [String] "preload", "fork_worker", or "each" worker boots by itself
  def initialize(redis:, cache: "ccache", forks: "preload")
    super()
    @port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    own = { "RAILS_ENV" => "production", "BUNDLE_GEMFILE" => path("Gemfile"), "APP_PORT" => port.to_s,
            "APP_FORKS" => forks }
    @environment = environment(redis: redis, cache: cache).merge(InstalledGem.environment, own)
    prepare
    start
  end

  # By what Puma says, since with `fork_worker` they are not all its children.
  #
  # @return [Array<Integer>] the process ids
  def workers
    output.scan(/Worker (\d+) \(PID: (\d+)\) booted/).to_h.values.map(&:to_i)
  end

  def client
    HttpClient.new(port)
  end

  # What every worker says of itself, by process id.
  def about_workers(query = "")
    seen = {}
    until_true("all workers answered") do
      client = self.client
      about = JSON.parse(client.get("/worker#{query}").body)
      client.close
      seen[about["pid"]] = about
      (workers - seen.keys).empty?
    rescue *HttpClient::LOST
      false
    end
    seen
  end

  def signal(name)
    Process.kill(name, @pid)
  end

  def stop
    Process.kill(:TERM, @pid) if @pid
    kill if @pid && !Process.detach(@pid).join(20)
    @pid = nil
    warnings = output.lines.grep(%r{/gems/ccache-.*warning:})
    raise "The gem's warnings in the app:\n#{warnings.join}" unless warnings.empty?
  ensure
    super
  end

  def until_true(what)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE
    until yield
      raise "not within #{PATIENCE} s: #{what}\n#{output}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

      sleep 0.01
    end
  end

  def output
    File.exist?(path("puma.log")) ? File.read(path("puma.log")) : ""
  end

  private

  def kill
    [@pid, *workers].each do |pid|
      Process.kill(:KILL, pid)
    rescue Errno::ESRCH
      nil
    end
  end

  def prepare
    InstalledGem.run("bundle", "install", "--local", directory: directory, env: @environment)
    InstalledGem.run("bundle", "exec", "ruby", "-r./config/environment", "-e", "Setting.prepare",
                     directory: directory, env: @environment)
  end

  def start
    @pid = Bundler.with_unbundled_env do
      Process.spawn({ **@environment, "RUBYOPT" => "-w" }, "bundle", "exec", "puma", "-C", "config/puma.rb",
                    chdir: directory, out: path("puma.log"), err: %i[child out])
    end
    until_true("the workers are there") { workers.size == WORKERS }
    about_workers
  end
end
