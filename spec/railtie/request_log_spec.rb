# frozen_string_literal: true

require_relative "booted_app"

# To see red: in ext/ccache/src/tally.rs let `take` keep what it took, or count by process.
RSpec.describe Ccache::Railtie::ControllerRuntime do
  include BootedApp

  before { Rails.cache.clear }

  let(:milliseconds) { /\d+\.\dms/ }

  it "adds what the cache did to the request's line" do
    get("/many?reads=10")
    # The fetch loads; ten reads and the view's find it.
    expect(logged).to match(/ 200 OK .*Ccache: 12 reads \(11 not modified, 1 loaded\), #{milliseconds}/)
    get("/many?reads=10")
    expect(logged).to match(/Ccache: 12 reads \(12 not modified, 0 loaded\), #{milliseconds}/)
  end

  it "counts what the server brought as loaded" do
    elsewhere.write("settings", { "a" => 1 })
    get("/many?reads=1")
    expect(logged).to match(/Ccache: 3 reads \(2 not modified, 1 loaded\)/)
  end

  it "says nothing where the cache was not asked" do
    get("/worker")
    expect(logged).to include("200 OK")
    expect(logged).not_to include("Ccache")
  end

  it "counts neither what came before the action nor what other threads do" do
    stop = false
    others = Array.new(2) { Thread.new { Rails.cache.read("other") until stop } }
    Rails.cache.read("settings")
    get("/many?reads=3")
    expect(logged).to match(/Ccache: 5 reads \(4 not modified, 1 loaded\)/)
  ensure
    stop = true
    join(*others)
  end

  it "puts the counts into the event, for other logs" do
    payload = nil
    take = ->(*, given) { payload = given }
    ActiveSupport::Notifications.subscribed(take, "process_action.action_controller") { get("/many?reads=2") }
    expect(payload[:ccache]).to have_attributes(reads: 4, not_modified: 3, loads: 1, milliseconds: be > 0)
  end
end
