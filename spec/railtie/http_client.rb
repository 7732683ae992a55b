# frozen_string_literal: true

require "socket"

# One connection at a time to a server of this machine, kept as long as that keeps it:
# little work for the client, so that many of them measure the server.
class HttpClient
  Response = Struct.new(:status, :headers, :body) do
    def worker
      headers["x-worker"]
    end
  end

  # What a server may do that is stopped or killed. A request may have been done.
  LOST = [SystemCallError, EOFError].freeze

  def initialize(port)
    @port = port
  end

  def get(path, headers = {})
    request("GET", path, headers)
  end

  def post(path)
    request("POST", path, { "Content-Length" => 0 })
  end

  # So that another worker may take the next request.
  def reconnect
    @socket&.close
    @socket = nil
  end
  alias close reconnect

  private

  def request(method, path, headers)
    @socket ||= TCPSocket.new("127.0.0.1", @port)
    lines = ["#{method} #{path} HTTP/1.1", "Host: localhost", *headers.map { |name, value| "#{name}: #{value}" }]
    @socket.write("#{lines.join("\r\n")}\r\n\r\n")
    receive
  rescue *LOST
    reconnect
    raise
  end

  def receive
    status = line[/ (\d+)/, 1].to_i
    headers = {}
    until (header = line).empty?
      name, value = header.split(": ", 2)
      headers[name.downcase] = value
    end
    body = headers["transfer-encoding"] == "chunked" ? chunks : exactly(headers["content-length"].to_i)
    reconnect if headers["connection"] == "close"
    Response.new(status, headers, body)
  end

  def chunks
    body = +""
    while (length = line.to_i(16)).positive?
      body << exactly(length + 2).chomp
    end
    line
    body
  end

  def exactly(length)
    bytes = length.zero? ? "" : @socket.read(length)
    bytes && bytes.bytesize == length ? bytes : raise(EOFError)
  end

  def line
    (@socket.gets("\r\n") or raise EOFError).chomp
  end
end
