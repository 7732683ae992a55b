# frozen_string_literal: true

require "socket"
require "tmpdir"
require "fileutils"
require_relative "this_process"

# A real Redis or Valkey on a free port of this machine, in a directory of its own.
class Server
  BINARIES = %w[redis-server valkey-server].freeze

  # The kinds of server that are installed here; the first one is what the specs run
  # with, or the one that CCACHE_TEST_SERVER names (rake spec:servers).
  def self.installed
    named = ENV.fetch("CCACHE_TEST_SERVER", nil)
    return [named] if named

    paths = ENV.fetch("PATH").split(File::PATH_SEPARATOR)
    BINARIES.select { |name| paths.any? { |path| File.executable?(File.join(path, name)) } }
  end

  attr_reader :port, :directory

  # @param options [Array<String>] further options of the server
  def initialize(*options, binary: Server.installed.first)
    raise "no #{BINARIES.join(" or ")} found: run bin/setup" unless binary

    @binary = binary
    @options = options
    @directory = Dir.mktmpdir("ccache-server")
    ThisProcess.at_exit { stop }
    start_at_free_port
  end

  def url(db = 0)
    "redis://127.0.0.1:#{port}/#{db}"
  end

  def socket
    File.join(directory, "socket")
  end

  def start
    @pid = Process.spawn(@binary, "--port", port.to_s, "--bind", "127.0.0.1", "--unixsocket", socket, "--save", "",
                         "--appendonly", "no", "--dir", directory, *@options,
                         out: File.join(directory, "log"), err: %i[child out])
    wait_until_ready
  end

  # Ends it as kill -9 does.
  def kill
    return unless @pid

    Process.kill(:CONT, @pid)
    Process.kill(:KILL, @pid)
    Process.wait(@pid)
    @pid = nil
  end

  # A new process at the same port, with nothing in it.
  def restart
    kill
    start
  end

  def stop
    kill
    FileUtils.rm_rf(directory)
  end

  # Stops answering, without closing anything.
  def pause
    Process.kill(:STOP, @pid)
  end

  def resume
    Process.kill(:CONT, @pid)
  end

  # Sends one command, and gives its reply: a String, Integer, nil or an Array.
  # An error reply is raised.
  def command(*words, db: 0)
    TCPSocket.open("127.0.0.1", port) do |socket|
      read = ->(*request) { socket.write(pack(request)) && reply(socket) }
      read.call("SELECT", db.to_s) unless db.zero?
      read.call(*words)
    end
  end

  # How often the server ran a command.
  def calls(name)
    command("INFO", "commandstats")[/^cmdstat_#{name}:calls=(\d+)/, 1].to_i
  end

  private

  # Another process may take the port between its choice and the server's start.
  def start_at_free_port
    tries ||= 3
    @port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    start
  rescue RuntimeError
    (tries -= 1).positive? ? retry : raise
  end

  # The server opens its Unix socket after its port, and nobody else answers there.
  def wait_until_ready
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60
    until listening?
      is_late = Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline
      kill if is_late
      not_started if is_late || Process.wait(@pid, Process::WNOHANG)
      sleep 0.01
    end
  end

  def listening?
    UNIXSocket.open(socket, &:close)
    true
  rescue Errno::ENOENT, Errno::ECONNREFUSED
    false
  end

  def not_started
    @pid = nil
    raise "#{@binary} did not start: #{File.read(File.join(directory, "log"))}"
  end

  def pack(words)
    "*#{words.size}\r\n#{words.map { |word| "$#{word.to_s.bytesize}\r\n#{word}\r\n" }.join}"
  end

  def reply(socket)
    line = socket.gets("\r\n") or raise EOFError
    rest = line[1..].chomp
    case line[0]
    when "+" then rest
    when "-" then raise rest
    when ":" then rest.to_i
    when "$" then rest.to_i.negative? ? nil : socket.read(rest.to_i + 2)[0..-3]
    when "*" then Array.new(rest.to_i) { reply(socket) }
    end
  end
end

# One server for all specs that do it no harm, emptied before each.
module Servers
  def self.shared
    @shared ||= Server.new
  end

  # A server of this example's own, which it may hurt.
  def own_server(*options)
    Server.new(*options).tap { |server| own_servers << server }
  end

  def own_servers
    @own_servers ||= []
  end
end
