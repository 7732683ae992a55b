# frozen_string_literal: true

require_relative "rails_stores"

# To see red: in lib/ccache/store/embedding.rb let `seek_multi` call `get_multi`.
RSpec.describe "The Rails store, when a value cannot be decoded any more" do
  include RailsStores

  # No plain data, so that memory keeps the encoding.
  let(:kind) do
    stub_const("RailsDecodingThing", Class.new do
      class << self
        attr_accessor :broken
      end

      def marshal_dump = 1
      def marshal_load(_) = self.class.broken && raise(self.class.broken, "gone")
    end)
  end

  [ArgumentError, NotImplementedError, LoadError].each do |error|
    for_stores do
      before do
        cache.write_multi({ "a" => kind.new, "b" => kind.new, "c" => kind.new, "good" => 1 })
        kind.broken = error
      end

      it "misses, and loads it anew: #{error}" do
        expect([cache.read("a"), cache.read("a", values: :fresh), cache.read("good")]).to eq([nil, nil, 1])
        expect(cache.read_multi("a", "b", "good")).to eq("good" => 1)
        expect(cache.increment("a")).to be_nil
        expect(cache.fetch("a") { 2 }).to eq(2)
        expect(cache.fetch_multi("b", "good") { 3 }).to eq("b" => 3, "good" => 1)
        expect(cache.fetch("c", version: 1, expires_in: 60) { 4 }).to eq(4)
        expect(cache.read_multi("a", "b", "c", "good")).to eq("a" => 2, "b" => 3, "c" => 4, "good" => 1)
      end

      it "removes it, and what has expired beside it: #{error}" do
        cache.write("old", 1, expires_in: 60)
        travel(120) { cache.cleanup }
        expect([cache.delete("a"), cache.delete_multi(%w[b c])]).to eq([true, 2])
      end
    end
  end
end
