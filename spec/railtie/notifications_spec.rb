# frozen_string_literal: true

require_relative "booted_app"

# To see red: in lib/ccache/notifications/of_servers.rb drop a method.
RSpec.describe Ccache::Notifications do
  let(:here) { remote }
  let(:there) { remote }
  let(:value) { "x" * 10_000 }

  before(:context) { described_class.publish }

  # Events of the block, as name and payload.
  def events(pattern = /\.ccache\z/, &block)
    events = []
    take = proc { |event| events << [event.name, event.payload, event.duration] }
    ActiveSupport::Notifications.subscribed(take, pattern, &block)
    events
  end

  it "tells of validations: key, etag, and how many bytes did not come" do
    etag = here.set("key", value)
    length = Servers.shared.command("STRLEN", "#{namespace}:key")
    reads = [-> { here.get("key") }, -> { here["key"] }, -> { here.fetch("key") { raise } }, -> { here.entry("key") },
             -> { here.etag("key") }, -> { there.etag("key") }]
    reads.each do |read|
      (name, payload, duration), *others = events(&read)
      expect([name, others]).to eq(["validate.ccache", []])
      expect(payload).to include(key: "key", etag: etag, not_modified: true, bytes: length - 24)
      expect(duration).to be > 0
    end
  end

  it "tells that a copy did not hold, and what was loaded instead" do
    here.set("key", value)
    etag = there.set("key", "new")
    told = events { expect(here.get("key")).to eq("new") }
    expect(told.map(&:first).uniq).to eq(%w[validate.ccache load.ccache])
    expect(told[0][1]).to include(key: "key", etag: nil, not_modified: false, bytes: 0)
    expect(told.last[1]).to include(key: "key", etag: etag, from: :server)
  end

  it "tells what memory answered without asking" do
    here.set("key", value)
    told = events { here.get("key", max_age: 60) }
    expect(told.map { |_, payload| payload[:asked] }).to eq([false])
    expect(events { here.get("key") }.map { |_, payload| payload[:asked] }).to eq([true])
  end

  it "leaves stores to other Ractors" do
    # In a process of its own: once there is a second Ractor, a VM works differently.
    program = <<~'RUBY'
      require "ccache/notifications"
      Ccache::Notifications.publish
      store = Ccache::Store.new(redis: { url: ARGV[0], read_timeout: 20 }, namespace: ARGV[1], values: :frozen)
      ractor = Ractor.new(Ractor.make_shareable(store)) { |shared| shared.fetch("key") { "loaded" } }
      puts ractor.respond_to?(:value) ? ractor.value : ractor.take
    RUBY
    outcome = run_ruby(program, Servers.shared.url, namespace)
    expect([outcome.output, outcome.status]).to match(["loaded\n", be_success])
  end

  it "tells what a block loads, with a server and without" do
    told = events { [here, Ccache::Store.new].each { |store| store.fetch("key") { "loaded" } } }
    expect(told.map { |name, payload| [name, payload[:from]] })
      .to eq([["load.ccache", :server], ["load.ccache", :block], ["load.ccache", :block]])
    expect(told.map { |_, payload| payload[:etag] }).to match([nil, here.etag("key"), be_a(String)])
  end

  it "tells of many keys at once" do
    here.set_multi({ "a" => 1, "b" => 2 })
    told = events { here.get_multi("a", "b") }
    expect(told.map { |name, payload| [name, payload.slice(:key, :not_modified)] })
      .to eq([["validate.ccache", { key: %w[a b], not_modified: true }]])
  end

  it "asks nobody and tells nothing where a copy is fresh by max_age" do
    here.set("key", value)
    told = events { here.get("key", max_age: 60) }
    expect(told.map { |_, payload| payload[:not_modified] }).not_to include(true)
  end

  it "tells of a server that fails, and raises what it raised" do
    server = own_server
    store = remote(redis: server.url)
    store.set("key", 1)
    server.kill
    told = events("error.ccache") do
      [-> { store.get("key") }, -> { store.set("key", 2) }, -> { store.delete("key") }].each do |call|
        expect(&call).to raise_error(Ccache::ConnectionError)
      end
    end
    expect(told.size).to eq(3)
    told.each do |_, payload|
      expect(payload).to include(error: be_a(Ccache::ConnectionError), server: store.send(:_server), duration: be >= 0)
    end
    expect(told.map { |_, payload| payload[:reason] }).to eq(%i[look_entry push delete_at_server])
  end

  it "tells of what is not read" do
    put_raw("key", "something else, as long as a header and longer")
    told = events("error.ccache") { here.get("key") }
    expect(told.map { |_, payload| payload.slice(:key, :reason) }).to eq([{ key: "key", reason: :foreign }])
  end

  it "makes nothing where nobody listens" do
    here.set("key", value)
    3.times { here.get("key") }
    names = []
    instrumenter = ActiveSupport::Notifications::Instrumenter
    tracing = TracePoint.new(:call) { |point| names << point.method_id if point.defined_class == instrumenter }
    commands = Servers.shared.calls("strlen")
    tracing.enable { here.get("key") }
    expect(names).to eq([])
    expect(Servers.shared.calls("strlen")).to eq(commands)
  end

  it "is not in the way of stores before somebody asks for it" do
    program = <<~'RUBY'
      require "active_support"
      server = { url: ARGV.first, read_timeout: 20 }
      store = Ccache::Store.new(redis: server, namespace: "quiet")
      native = store.method(:get).source_location.nil?
      Ccache::Notifications.publish_if_wanted
      still = store.method(:get).source_location.nil?
      told = []
      ActiveSupport::Notifications.subscribe("validate.ccache") { |*event| told << event.first }
      Ccache::Notifications.publish_if_wanted
      store.set("key", 1)
      store.get("key")
      p native, still, told
    RUBY
    outcome = run_ruby(program, Servers.shared.url)
    expect(outcome).to succeed
    expect(outcome.output).to eq("true\ntrue\n[\"validate.ccache\"]\n")
  end
end
