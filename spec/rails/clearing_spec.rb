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

    it "takes namespaces for what they are, not for patterns" do
      ["o*r", "o[x]r", "o?r", "o\\r"].each do |other|
        cache.write("foo", 5, namespace: other)
        cache.write("foo", 6, namespace: "oxr")
        expect([other, cache.delete_matched("f*", namespace: other)]).to eq([other, 1])
        expect(cache.clear(namespace: "o*r")).to eq(0)
        expect(cache.read("foo", namespace: "oxr")).to eq(6)
        expect(rails_store(namespace: nil).delete_matched("f*", namespace: other)).to eq(0)
      end
      own = rails_store(namespace: "#{namespace}*[a]")
      own.write_multi({ "foo" => 1, "fu" => 2 })
      expect(own.delete_matched("fo?")).to eq(1)
    end

    it "matches what it should, however odd or long the pattern" do
      { "v/!" => "v/[!a]", "v/b" => "v/[c-b]", "v/c" => "v/[c", "v/\\" => "v/\\", "x\0y" => "x\0*",
        "long" => "#{"*" * 2000}ng" }.each do |key, pattern|
        cache.write(key, 1)
        expect([pattern, cache.delete_matched(pattern)]).to eq([pattern, 1])
        expect(cache.exist?(key)).to be(false)
      end
    end

    it "refuses a matcher that is none" do
      expect { cache.delete_matched(:foo) }.to raise_error(Ccache::InvalidOption, /matcher: takes/)
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
