# frozen_string_literal: true

require_relative "rails_stores"

# To see red: in lib/ccache/rails_store/failsafe.rb leave `TooDeep` out of WRITE_FAILURES.
RSpec.describe "The Rails store, given values that are nested too deeply" do
  include RailsStores

  let(:unwritten) { ActiveSupport.gem_version >= Gem::Version.new("7.1") ? nil : false }
  let(:handled) { [] }
  let(:handler) { ->(method:, exception:, **) { handled << [method, exception.is_a?(Ccache::Error)] } }

  def deep
    100_000.times.inject([1]) { |inner, _| [inner] }
  end

  def check(cache)
    cache.write("key", "old")
    value = deep
    [->(work) { work.call }, ->(work) { Fiber.new(&work).resume }].each do |run|
      run.call(lambda do
        expect([cache.write("key", value), cache.write("new", value, unless_exist: true)]).to eq([unwritten] * 2)
        expect(cache.fetch("other") { value }).to equal(value)
        expect(cache.fetch("other", force: true) { value }).to equal(value)
        expect(cache.fetch_multi("key", "other") { value }["other"]).to equal(value)
        cache.write_multi({ "small" => 1, "new" => value })
      end)
    end
    expect(cache.read_multi("key", "other", "new", "small")).to eq("key" => "old", "small" => 1)
    expect([handled.map(&:first).uniq, handled.map(&:last)]).to match([include(:write_entry), all(be(true))])
    expect(value.frozen?).to be(false)
  end

  for_stores do
    it "misses, writes nothing, and gives a fetch what its block returned" do
      check(rails_store(error_handler: handler))
    end

    it "misses where a bigger stack wrote it" do
      cache = rails_store(error_handler: handler)
      value = 8_000.times.inject([1]) { |inner, _| [inner] }
      cache.write("key", value) # the main thread has the most stack
      cache.ccache.forget if settings[:redis]
      answers = Fiber.new { [cache.read("key"), cache.read_multi("key"), cache.fetch("key") { 1 }] }.resume
      next expect(answers).to eq([nil, {}, 1]) if settings[:redis] || settings[:values]

      expect(answers.map(&:class)).to eq([Array, Hash, Array]) # an object, which nobody decodes
    end
  end

  it "misses with JSON as its coder, too" do
    check(ActiveSupport::Cache.lookup_store(:ccache_store, namespace: namespace, coder: :json, error_handler: handler,
                                                           redis: { url: Servers.shared.url, **RemoteStores::PATIENCE })
                              .tap { |cache| remote_stores << cache.ccache })
  end
end
