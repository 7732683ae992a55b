# frozen_string_literal: true

require_relative "rails_stores"

RSpec.describe "The Rails store's clearing" do
  include RailsStores

  for_stores do
    before { cache.write_multi({ "foo" => 1, "fu" => 2, "foo/bar" => 3, "a[1]" => 4 }) }

    def left
      cache.read_multi("foo", "fu", "foo/bar", "a[1]").values
    end

    it "removes all entries" do
      cache.clear
      expect(left).to eq([])
      expect(cache.ccache.size).to eq(0)
    end

    it "removes those of one namespace alone, if asked to" do
      cache.write("foo", 5, namespace: "other")
      cache.clear(namespace: "other")
      expect(cache.exist?("foo", namespace: "other")).to be(false)
      expect(left).to eq([1, 2, 3, 4])
    end

    it "removes what matches a pattern of Redis'" do
      expect(cache.delete_matched("f[n-p]o*")).to eq(2)
      expect(left).to eq([2, 4])
      expect(cache.delete_matched("a\\[?]")).to eq(1)
      expect(cache.delete_matched("x*")).to eq(0)
      expect(left).to eq([2])
    end

    it "matches within a namespace" do
      cache.write("foo", 5, namespace: "other")
      expect(cache.delete_matched("foo*", namespace: "other")).to eq(1)
      expect(left).to eq([1, 2, 3, 4])
    end

    it "refuses a matcher that is none" do
      expect { cache.delete_matched(:foo) }.to raise_error(Ccache::InvalidOption, /matcher: takes/)
      expect { cache.delete_matched("\0") }.to raise_error(Ccache::InvalidOption, /pattern: takes/)
    end

    it "cleans up without harm" do
      cache.cleanup
      expect(left).to eq([1, 2, 3, 4])
    end
  end

  for_stores(RailsStores::LOCAL) do
    it "removes what matches a Regexp, within the namespace" do
      %w[foo fu foo/bar].each { |key| cache.write(key, 1) }
      cache.write("foo", 2, namespace: "other")
      cache.write("\xff", 3)
      expect(cache.delete_matched(/^fu/)).to eq(1)
      expect(cache.delete_matched(/oo/)).to eq(2)
      expect(cache.read("foo", namespace: "other")).to eq(2)
    end

    it "cleans up what tests have made expire" do
      cache.write("key", 1, expires_in: 60)
      cache.write("other", 1, expires_in: 600)
      travel(61)
      expect { cache.cleanup }.to change { cache.ccache.keys.sort }.from(%w[key other]).to(%w[other])
    end
  end

  for_stores(RailsStores::REMOTE) do
    it "refuses a Regexp, which the server does not know" do
      expect { cache.delete_matched(/foo/) }.to raise_error(Ccache::InvalidOption, /as Redis has them/)
    end

    it "leaves other namespaces of the server alone" do
      neighbour = rails_store(namespace: "#{namespace}x")
      neighbour.write("key", 1)
      cache.write("key", 2)
      expect(cache.clear).to eq(1)
      expect(neighbour.read("key")).to eq(1)
      expect(neighbour.delete_matched("*")).to eq(1)
    end
  end
end
