# frozen_string_literal: true

require_relative "rails_stores"
require "active_support/cache/ccache_store"
require "objspace"
require "yaml"
require "pp" # rubocop:disable Lint/RedundantRequireStatement -- for pretty_inspect
require "securerandom"
require "json"
require "active_support/json"
require "active_support/core_ext/hash/indifferent_access"

# What must not come out of a store: passwords, keys that sign, and values in messages.
#
# To see red: keep the settings in an instance variable of RemoteOptions.
RSpec.describe Ccache::Store, "secrets" do
  let(:secret) { SecureRandom.hex(20) }
  let(:key) { SecureRandom.hex(20) }
  let(:redis) { { url: "redis://someone:#{secret}@127.0.0.1:1/2" } }
  let(:plain) { described_class.new(redis: redis, signing_keys: [key], on_evict: :then.to_proc) }
  let(:rails) do
    ActiveSupport::Cache::CcacheStore.new(redis: redis, signing_keys: [key], weigher: :then.to_proc, max_bytes: 1000)
  end

  after { [plain, rails.ccache].each(&:close) }

  # All Strings to which an object leads, but for those of classes, which lead to all there is.
  def strings_in(object)
    seen = {}.compare_by_identity
    waiting = [object]
    until waiting.empty?
      one = waiting.pop
      next if seen.key?(one) || Module === one || Thread === one

      seen[one] = true
      waiting.concat(led_to_by(one))
    end
    seen.keys.grep(String)
  end

  def led_to_by(object)
    return captured_by(object.binding) if Proc === object

    Array(ObjectSpace.reachable_objects_from(object)).grep_v(ObjectSpace::InternalObjectWrapper)
  rescue ArgumentError # a Symbol's Proc has no binding
    []
  end

  def captured_by(binding)
    [binding.receiver, *binding.local_variables.map { |name| binding.local_variable_get(name) }]
  end

  def written_down(object)
    [-> { object.inspect }, -> { object.to_s }, -> { object.pretty_inspect }, -> { object.to_json },
     -> { JSON.generate([object]) }, -> { object.as_json.to_s }, -> { object.to_yaml }, -> { YAML.dump([object]) },
     -> { ActiveSupport::JSON.encode(object) }, -> { Marshal.dump(object) }].map do |writing|
      writing.call
    rescue TypeError => e
      e.message
    end
  end

  def failure
    yield
  rescue Ccache::Error => e
    e
  end

  it "are in no object that a store leads to" do
    [plain, rails].each do |store|
      failure { store.is_a?(described_class) ? store.get("key") : store.read("key") }
      expect(strings_in(store).grep(/#{secret}|#{key}/)).to eq([])
    end
  end

  it "are not written down with a store, its options or its errors" do
    errors = [failure { plain.get("key") }, failure { plain.get(7) },
              failure { described_class.new(redis: { password: secret, hots: "h" }) }]
    objects = [plain, plain.instance_variable_get(:@_remote), rails, rails.options, *errors]
    objects.each { |object| expect(written_down(object).join).not_to match(/#{secret}|#{key}/) }
  end

  it "of a coder are not written down either" do
    coder = Struct.new(:key) do
      def dump(value) = value
      def load(bytes) = bytes
    end
    store = described_class.new(redis: {}, coder: coder.new(secret))
    [store, store.instance_variable_get(:@_remote)].each do |object|
      expect(written_down(object).join).not_to include(secret)
    end
    store.close
  end

  it "are not shown by options that are wrong" do
    wrong = [
      { redis: { password: secret, hots: "h" } }, { redis: { host: [secret] } }, { redis: [secret] },
      { redis: { password: { secret => 1 } } }, { redis: { "redis://:#{secret}@h" => 1 } },
      { redis: "redis://:12#{secret}/34@host" }, { redis: "redis://u:1/#{secret}@host" },
      { redis: "redis://u:1?#{secret}@host" }, { redis: "redis://u:1##{secret}@host" },
      { redis: "u:#{secret}@host" }, { redis: { db: "redis://:#{secret}@h" } },
      { redis: { ssl_params: [secret] } }, { redis: { ssl_params: { key: "-----BEGIN #{secret}" } } },
      { redis: { ssl_params: { verify_mode: { secret => 1 } } } }, { redis: { port: [secret] } },
      { signing_keys: secret[0, 15] }, { signing_keys: { secret => 1 } }, { url: "redis://:#{secret}@h" },
      { coder: Struct.new(:key).new(secret) }, { on_event: [secret] }, { namespace: { password: secret } },
      { max_entries: "redis://:#{secret}@h" }, { password: secret }, { secret.to_sym.inspect => 1 }
    ]
    wrong.each do |options|
      [described_class, ActiveSupport::Cache::CcacheStore].each do |store|
        error = failure { store.new(**options) }
        expect(error).to be_a(Ccache::InvalidOption), options.inspect if store == described_class
        next unless error.is_a?(Exception) # Rails' own ways with a namespace or a limit

        shown = [error.message, error.inspect, error.cause&.message].join
        expect(shown).not_to match(/#{secret[0, 15]}|#{secret[-10..]}/), shown
      end
    end
  end

  it "are no part of what a coder's failure says" do
    json = Object.new
    def json.dump(value) = value.is_a?(Array) ? raise("cannot write #{value}") : value
    def json.load(text) = JSON.parse(text)
    [json].each do |coder|
      store = remote(coder: coder)
      store.instance_variable_get(:@_remote) # a store as any
      errors = [failure { store.set("key", [secret]) }]
      put = remote(coder: Class.new { def dump(text) = text; def load(text) = text }.new) # rubocop:disable Style/Semicolon
      put.set("key", "{\"token\": #{secret}")
      errors << failure { store.get("key") } << failure { store.get_multi("key") }
      errors.each do |error|
        expect(error).to be_a(Ccache::CodecError)
        expect([error.full_message, error.message, error.cause.inspect].join).not_to include(secret)
      end
      expect(errors[1].message).to include("cannot load a value: JSON::ParserError (key")
    end
  end

  it "are no part of what is said of a value that cannot be kept" do
    hook = Class.new do
      def initialize(secret) = @secret = secret
      def marshal_dump = raise(ArgumentError, "cannot dump #{@secret}")
      def inspect = "#<Hook #{@secret}>"
      def freeze = raise(ArgumentError, "cannot freeze #{@secret}")
    end
    %i[fresh frozen copied].each do |values|
      error = failure { described_class.new.set("key", hook.new(secret), values: values) }
      next unless error.is_a?(Exception)

      expect([error.full_message, error.cause.inspect].join).not_to include(secret)
    end
    error = failure { remote.set("key", hook.new(secret)) }
    expect(error).to be_a(Ccache::CodecError)
    expect(error.full_message).not_to include(secret)
  end

  it "say what class cannot be dumped" do
    expect { remote.set("key", proc {}) }
      .to raise_error(Ccache::CodecError, /dump a Proc: TypeError: no _dump_data is defined for class Proc/)
  end
end
