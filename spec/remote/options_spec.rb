# frozen_string_literal: true

require "openssl"
require "tmpdir"

# What a store with a server is made with: checked when it is given.
RSpec.describe Ccache::Store, "options of a server" do
  def server_of(redis)
    described_class.new(redis: redis).inspect[/server=(\S+)/, 1]
  end

  it "are a URL" do
    expect(server_of("redis://example.org")).to eq("redis://example.org:6379/0")
    expect(server_of("redis://user:p%40ss@example.org:7000/3")).to eq("redis://example.org:7000/3")
    expect(server_of("redis://[::1]:7000")).to eq("redis://[::1]:7000/0")
    expect(server_of("rediss://example.org/1")).to eq("rediss://example.org:6379/1")
    expect(server_of("unix:///run/redis.sock?db=2")).to eq("unix:///run/redis.sock?db=2")
  end

  it "are a Hash, which may complete a URL" do
    expect(server_of({})).to eq("redis://localhost:6379/0")
    expect(server_of({ host: "example.org", port: 7000, db: 2 })).to eq("redis://example.org:7000/2")
    expect(server_of({ path: "/run/redis.sock" })).to eq("unix:///run/redis.sock")
    expect(server_of({ "url" => "redis://example.org/1", "db" => 4 })).to eq("redis://example.org:6379/4")
    expect(server_of({ host: "example.org", ssl_params: {} })).to eq("rediss://example.org:6379/0")
    expect(server_of({ url: nil, host: nil })).to eq("redis://localhost:6379/0")
  end

  # What the native side is given.
  def settings_of(redis)
    Ccache::ServerOptions.parse(redis)
  end

  def seconds_of(redis)
    settings_of(redis).values_at(:connect_timeout, :read_timeout, :write_timeout).map { |nanos| nanos / 1e9 }
  end

  it "are the database and the timeouts that a URL has behind its question mark" do
    %w[redis://h rediss://h unix:///h].each do |url|
      expect(settings_of("#{url}?db=3")).to include(db: 3)
      expect(seconds_of("#{url}?timeout=5")).to eq([5, 5, 5])
      expect(seconds_of("#{url}?timeout=5&read_timeout=0.25&db=1")).to eq([5, 0.25, 5])
      expect(seconds_of("#{url}?connect_timeout=2&write_timeout=3")).to eq([2, 1, 3])
    end
    expect(server_of("redis://h/3?db=3")).to eq("redis://h:6379/3")
    expect(server_of("redis://h/?db=3")).to eq("redis://h:6379/3")
  end

  it "are one timeout: for all that are not given" do
    expect(seconds_of({ timeout: 4 })).to eq([4, 4, 4])
    expect(seconds_of({ timeout: 4, read_timeout: 2 })).to eq([4, 2, 4])
    expect(seconds_of({ url: "redis://h?read_timeout=9", timeout: 4 })).to eq([4, 4, 4])
    expect(seconds_of({ url: "redis://h?timeout=9", read_timeout: 2 })).to eq([9, 2, 9])
  end

  it "may have Strings as names, in ssl_params as well" do
    params = { "verify_mode" => "none", "ca_file" => nil }
    redis = { "host" => "example.org", "port" => 7000, "timeout" => 2, "ssl_params" => params }
    expect(settings_of(redis)).to include(host: "example.org", port: 7000, tls: true, accept_any: true)
    expect(described_class.new("redis" => redis, "namespace" => "app").inspect)
      .to include("server=rediss://example.org:7000/0 namespace=app")
  end

  it "are credentials, a socket's path and addresses, however they are written" do
    expect(settings_of("redis://me:a%2Fb%3Fc%23d+e@h")).to include(username: "me", password: "a/b?c#d+e")
    expect(settings_of("redis://:word@h")).to include(username: nil, password: "word")
    expect(settings_of({ url: "redis://me@h", password: "word" })).to include(username: "me", password: "word")
    expect(settings_of("unix:///run/a%20b")).to include(path: "/run/a b")
    expect(settings_of({ host: "[::1]" })).to include(host: "::1")
    expect(settings_of({ host: "::1" })).to include(host: "::1")
  end

  it "that contradict each other or leave something out are refused" do
    {
      "redis://user@h" => /username: takes a password: beside it/,
      "redis://user:@h" => /username: takes a password:/,
      "unix://user@/run/redis" => /username: takes a password:/,
      { username: "user" } => /username: takes a password:/,
      { username: "user", password: "" } => /username: takes a password:/,
      "redis://h/1?db=2" => /redis: takes a URL with one database, got "a URL with two"/,
      "redis://h?db=1&db=1" => /db: is given twice/,
      "redis://h?dbs=1" => /unknown option dbs; there are db, timeout, connect_timeout, read_timeout, write_timeout/,
      "rediss://h?ssl_params=1" => /unknown option ssl_params/,
      "unix:///run/redis?host=h" => /unknown option host/,
      "redis://h?db=" => /db: takes an Integer from 0, got ""|got String/,
      "redis://h?db=-1" => /db: takes an Integer from 0/,
      "redis://h/1_0" => /db: takes an Integer from 0/,
      "redis://h/9999999999" => /db: takes an Integer from 0 to 2147483648/,
      "redis://h/1/2" => /db: takes an Integer from 0/,
      "redis://h?timeout=soon" => /timeout: takes a number of seconds, as 0.5, got "soon"/,
      "redis://h?timeout=%zz" => /redis: takes/,
      "redis://h#1" => /takes %23 for a # in a password, got "a URL with a fragment"/,
      "unix:///h#1" => /"a URL with a fragment"/,
      "redis://h:0" => /port: takes an Integer from 1 to 65535, got 0/,
      "redis://h:70000" => /port: takes/,
      "redis:///1" => /"a URL without a host"/,
      "redis:h" => /"a text that is no URL"/,
      "" => /"a text that is no URL"/,
      "unix://run/redis" => %r{takes unix:///path, with three slashes, got "a URL with a host"},
      { url: "" } => /"a text that is no URL"/,
      { host: "" } => /host: takes a String that is not empty/,
      { path: "" } => /path: takes a String that is not empty/,
      { timeout: "5" } => /timeout: takes a number of seconds/,
      { url: "redis://h", path: "/run/redis" } => /path: is a Unix socket's, and takes no host: beside it/,
      { path: "/run/redis", port: 1 } => /takes no port: beside it/,
      { url: "unix:///run/redis", ssl_params: {} } => /takes no ssl_params: beside it/,
      { host: "h", "host" => "h" } => /host: is given twice/,
      { 7 => 1 } => /unknown option of class Integer/,
      { ssl_params: { ca_file: Dir.tmpdir } } => /ca_file: takes the path of a PEM file that can be read/
    }.each do |redis, message|
      expect { described_class.new(redis: redis) }.to raise_error(Ccache::InvalidOption, message), redis.inspect
    end
  end

  it "say what is wrong with them, and what would be right" do
    {
      7 => /redis: takes a URL or a Hash, got Integer/,
      "http://example.org" => /got "a URL of scheme http"/,
      "redis://" => /got "a URL without a host"/,
      "redis://host/one" => /db: takes an Integer from 0, got "one"/,
      "not a url" => /got "a text that is no URL"/,
      "unix://" => /got "a URL without a path"/,
      { hots: "x" } => /unknown option hots; there are url, host, port/,
      { port: "7000" } => /port: takes an Integer from 1 to 65535, got "7000"/,
      { db: -1 } => /db: .* got -1/,
      { host: 7 } => /host: takes a String in UTF-8, got Integer/,
      { read_timeout: "1" } => /read_timeout: takes a number of seconds/,
      { ssl_params: { ca: 1 } } => /unknown option ca; there are ca_file, cert, key, verify_mode/,
      { ssl_params: { ca_file: "/none" } } => %r{ca_file: takes the path of a PEM file that can be read, got "/none"},
      { ssl_params: { verify_mode: :maybe } } => /verify_mode: takes :peer or :none, got :maybe/,
      { host: "user:secret@host" } => /host: takes a name or an address; .*, got String\z/,
      "redis://user%3Asecret%40host" => /host: takes a name or an address; .*, got String\z/,
      "redis://host%0A" => /host: takes a name or an address/,
      { path: "/tmp/\e[31m" } => /path: takes the path of a socket, got "control characters"/,
      { connect_timeout: 0 } => /connect_timeout: takes a number of seconds above 0, got 0/,
      "redis://host?timeout=0" => /timeout: takes a number of seconds above 0/,
      { ssl_params: { cert: __FILE__ } } => /takes cert: and key: together, got "cert: alone"/
    }.each do |redis, message|
      expect { described_class.new(redis: redis) }.to raise_error(Ccache::InvalidOption, message)
    end
  end

  it "are checked without a server, too" do
    {
      { namespace: "" } => /namespace: takes a String that is not empty, got ""/,
      { namespace: :app } => /got :app/,
      { coder: :yaml } => /coder: takes :marshal, :json, :message_pack, or an object with dump and load, got :yaml/,
      { compress: :gzip } => /compress: takes :zstd, :lz4 or :none, got :gzip/,
      { compress_from: -1 } => /compress_from: takes an Integer from 0/,
      { max_value_bytes: 0 } => /max_value_bytes: takes an Integer from 1/,
      { signing_keys: ["short"] } => /signing_keys: takes an Array of Strings of at least 16 bytes/,
      { on_event: 1 } => /on_event: takes an object with call/
    }.each do |options, message|
      expect { described_class.new(**options) }.to raise_error(Ccache::InvalidOption, message)
    end
    expect(described_class.new(redis: nil, namespace: "app", max_age: 1, coder: :json)).to be_a(described_class)
  end

  it "are not changed" do
    redis = { url: "rediss://example.org", ssl_params: { verify_mode: OpenSSL::SSL::VERIFY_PEER }.freeze }.freeze
    expect(server_of(redis)).to eq("rediss://example.org:6379/0")
  end

  it "give plain data to all by default, and copies of anything else" do
    expect(described_class.new(redis: {}).inspect).to include("values=auto")
    expect(described_class.new(redis: {}, values: :shared).inspect).to include("values=shared")
    expect(described_class.new.inspect).to include("values=shared")
  end
end
