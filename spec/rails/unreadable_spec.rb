# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's reads of what this process cannot load" do
  include RailsStores

  let(:handled) { [] }
  let(:options) { { error_handler: ->(exception:, **) { handled << exception.class } } }
  let(:cache) { rails_store(**options) }

  # What a deploy removes. (No constant of RSpec's: it has to be gone for Marshal.)
  def forget_class
    Object.send(:remove_const, :Removed) if Object.const_defined?(:Removed)
  end

  before { Object.const_set(:Removed, Class.new { include Comparable }) }
  after { forget_class }

  # The class is gone from a process that has the entry in memory, and from one that has not.
  def each_reader(values = {})
    { "held" => cache, "not held" => rails_store(**options) }.each do |name, reader|
      cache.write_multi({ "gone" => Removed.new, "number" => 1, "list" => [1] }.merge(values))
      forget_class
      yield name, reader
      Object.const_set(:Removed, Class.new { include Comparable })
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "are misses, by name and together, and the others are read" do
      each_reader do |name, reader|
        expect([name, reader.read("gone"), reader.fetch("gone")]).to eq([name, nil, nil])
        expect([name, reader.read_multi("gone", "number", "list")]).to eq([name, { "number" => 1, "list" => [1] }])
        expect([name, reader.exist?("gone")]).to eq([name, false])
        expect([name, reader.increment("gone")]).to eq([name, nil])
        expect { [reader.etag("gone"), reader.page_tag("gone"), reader.page_entry("gone")] }.not_to raise_error
        expect { reader.cleanup }.not_to raise_error
      end
      expect(handled.uniq).to eq([Ccache::CodecError])
    end

    it "are loaded anew by fetch_multi" do
      each_reader do |name, reader|
        expect([name, reader.fetch_multi("gone", "number") { |key| "new #{key}" }])
          .to eq([name, { "gone" => "new gone", "number" => 1 }])
        expect([name, reader.read("gone")]).to eq([name, "new gone"])
      end
    end

    it "are loaded anew by fetch, once" do
      each_reader do |name, reader|
        expect([name, reader.fetch("gone") { "new" }, reader.fetch("gone")]).to eq([name, "new", "new"])
        expect([name, reader.read_multi("gone")]).to eq([name, { "gone" => "new" }])
      end
    end

    it "stand in nobody's way: not in that of unless_exist, nor of patterns" do
      each_reader do |name, reader|
        expect([name, reader.write("gone", 1, unless_exist: true), reader.delete_matched("g*")]).to eq([name, true, 1])
      end
    end
  end

  it "are errors of Ccache::Store" do
    store = remote
    store["gone"] = Removed.new
    store["number"] = 1
    forget_class
    [store, remote].each { |reader| expect { reader.get_multi("gone", "number") }.to raise_error(Ccache::CodecError) }
  end
end
