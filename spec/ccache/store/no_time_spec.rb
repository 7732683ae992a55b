# frozen_string_literal: true

# Lifetimes that are over when they begin: the same in process and with a server.
#
# To see red: in ext/ccache_core/src/cache/writing.rs let `is_over` be false, and in
# ext/ccache/src/remote/writes.rs `is_over(expiry)`.
RSpec.describe Ccache::Store, "lifetimes of zero and less" do
  let(:over) { [0, 0.0, -1, -0.5, -10**6, 1e-12] }

  { "in one process" => ->(_, options) { described_class.new(**options) },
    "with a server" => ->(example, options) { example.remote(**options) } }.each do |where, make|
    context where do
      let(:store) { make.call(self, {}) }

      def expect_nothing
        expect([store.get("key"), store.etag("key"), store.entry("key")]).to eq([nil, nil, nil])
        expect(store.key?("key")).to be(false)
        expect(store.get_multi("key")).to eq({})
        expect(store.size).to eq(0)
      end

      it "store nothing, and take out what was there" do
        over.each do |seconds|
          { set: -> { store.set("key", "new", expires_in: seconds) },
            set_with_tag: -> { store.set("key", "new", expires_in: seconds, etag: "mine") },
            set_multi: -> { store.set_multi({ "key" => "new" }, expires_in: seconds)["key"] },
            update: -> { store.update("key", expires_in: seconds) { |draft| "#{draft}!" } } }.each do |name, write|
            store.set("key", "old")
            expect(write.call).to be_a(String), "#{name} #{seconds}"
            expect_nothing
          end
        end
      end

      it "give what a fetch loads to its caller, each time anew" do
        over.each do |seconds|
          loads = 0
          2.times { expect(store.fetch("key", expires_in: seconds) { loads += 1 }).to eq(loads) }
          expect(store.fetch_multi("key", expires_in: seconds) { loads += 1 }).to eq("key" => 3)
          expect(loads).to eq(3)
          expect_nothing
        end
      end

      it "count from nothing each time, but leave a number that is there its own time" do
        over.each { |seconds| 2.times { expect(store.increment("key", 2, expires_in: seconds)).to eq(2) } }
        expect_nothing
        store.set("key", 5)
        expect(store.increment("key", 2, expires_in: -1)).to eq(7)
        expect(store.entry("key").expires_at).to be_nil
      end

      it "leave conditions to decide" do
        etag = store.set("key", "old")
        [{ if_match: nil }, { if_match: "other" }, { if_none_match: etag }].each do |condition|
          expect { store.set("key", "new", expires_in: 0, **condition) }.to raise_error(Ccache::PreconditionFailed)
        end
        expect(store.get("key")).to eq("old")
        store.set("key", "new", expires_in: -3, if_match: etag)
        expect_nothing
        expect(store.set("key", "new", expires_in: -3, if_match: nil)).to be_a(String)
        expect_nothing
      end

      it "are possible as a store's default" do
        [0, -1].each do |seconds|
          brief = make.call(self, expires_in: seconds)
          brief["key"] = "value"
          brief.set("key", "value")
          expect(brief.set_multi({ "key" => 1 }).size).to eq(1)
          expect([brief.fetch("key") { 2 }, brief.increment("key"), brief.get("key")]).to eq([2, 1, nil])
          brief.set("key", "kept", expires_in: nil)
          expect(brief.get("key")).to eq("kept")
          brief.delete("key")
        end
      end

      it "take no lease that would end at once" do
        expect([0, -1].map { |seconds| store.fetch("key#{seconds}", lock: seconds) { 1 } }).to eq([1, 1])
      end

      it "are numbers all the same" do
        [Float::NAN, -Float::INFINITY, "0", Complex(0, 1)].each do |wrong|
          expect { store.set("key", 1, expires_in: wrong) }.to raise_error(Ccache::InvalidOption, /expires_in/)
        end
        expect { store.get("key", max_age: -1) }.to raise_error(Ccache::InvalidOption)
      end
    end
  end
end
