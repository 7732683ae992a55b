# frozen_string_literal: true

require "socket"
require_relative "this_process"

# Answers every command alike, whatever it is.
class HostileServer
  # What it says, by the kind of wrong answer. A lambda writes by itself.
  ANSWERS = {
    "a status" => "+nothing of the kind\r\n",
    "an integer" => ":-4711\r\n",
    "a string" => "$30\r\n#{"x" * 30}\r\n",
    "a nil array" => "*-1\r\n",
    "a map of RESP3" => "%1\r\n+a\r\n+b\r\n",
    "no protocol at all" => "HTTP/1.1 400 Bad Request\r\n\r\n",
    "a negative length" => "$-17\r\n",
    "a length beyond all bounds" => "$9223372036854775807\r\n",
    "a count beyond all bounds" => "*2147483647\r\n",
    "too many items" => "*5\r\n#{":1\r\n" * 5}",
    "arrays in arrays" => "#{"*1\r\n" * 99}:1\r\n",
    "more than was asked for" => "+OK\r\n" * 1000,
    "half a string" => ->(socket) { socket.write("$24\r\nxxx") && socket.close },
    "nothing" => :close.to_proc,
    "a string that is as long as it says" =>
      ->(socket) { endless(socket, "$1073741824\r\n", "x" * 65_536) },
    "items without an end" => ->(socket) { endless(socket, "*2147483647\r\n", "$8\r\nxxxxxxxx\r\n" * 4096) },
    "a line without an end" => ->(socket) { endless(socket, "-", "x" * 65_536) },
    "a byte now and then" => ->(socket) { endless(socket, "$", "0", pause: 0.1) }
  }.freeze

  # Until the client has enough, at most so many bytes.
  def self.endless(socket, head, more, pause: 0)
    socket.write(head)
    ((256 << 20) / more.bytesize).times do
      sleep pause if pause.positive?
      socket.write(more)
    end
  end

  # @return [Array<String>] the commands that came
  attr_reader :commands

  def initialize(answer)
    @answer = answer
    @commands = []
    @server = TCPServer.new("127.0.0.1", 0)
    @threads = [Thread.new { accept }]
    ThisProcess.at_exit { stop }
  end

  def url
    "redis://127.0.0.1:#{@server.addr[1]}/0"
  end

  def stop
    @threads.each(&:kill).each(&:join)
    @server.close unless @server.closed?
  end

  private

  def accept
    loop do
      socket = @server.accept
      @threads << Thread.new { serve(socket) }
    end
  end

  def serve(socket)
    while (begun = socket.gets("\r\n"))
      @commands << command(socket, begun)
      @answer.respond_to?(:call) ? @answer.call(socket) : socket.write(@answer)
    end
  rescue IOError, SystemCallError, NoMethodError # in the middle of a command
    nil
  ensure
    socket.close
  end

  def command(socket, begun)
    count = Integer(begun[1..])
    Array.new(count) { socket.read(Integer(socket.gets("\r\n")[1..]) + 2).chomp }.first
  end
end
