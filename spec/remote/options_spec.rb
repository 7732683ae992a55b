# frozen_string_literal: true

require "openssl"

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
