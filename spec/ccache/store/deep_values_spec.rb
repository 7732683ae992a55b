# frozen_string_literal: true

# To see red: in lib/ccache/plain_data.rb let `Walk#plain?` call itself for each part.
RSpec.describe Ccache::Store, "values that are nested deeply" do
  def deep(levels, kind = :array)
    levels.times.inject([1]) { |inner, _| kind == :array ? [inner] : { "a" => inner } }
  end

  # As deep as Marshal manages there, or nearly so.
  places = { "a thread" => [->(work) { Thread.new(&work).value }, { array: 2_900, hash: 1_200 }],
             "a fiber" => [->(work) { Fiber.new(&work).resume }, { array: 1_400, hash: 600 }] }

  places.each do |place, (run, levels)|
    levels.each do |kind, count|
      %i[auto copied frozen fresh].each do |values|
        it "are kept in #{place} as deep as Marshal manages: #{values}, #{kind}" do
          store = described_class.new(values: values)
          run.call(lambda do
            store["key"] = deep(count, kind)
            expect(Marshal.dump(store["key"]) == Marshal.dump(deep(count, kind))).to be(true)
            expect(store.fetch("other") { deep(count, kind) }).not_to be_nil
          end)
        end
      end
    end

    %i[auto copied frozen fresh].each do |values|
      it "beyond that are an error of ours in #{place}, and nothing is done: #{values}" do
        store = described_class.new(values: values)
        store["key"] = "old"
        value = deep(100_000)
        run.call(lambda do
          [-> { store["key"] = value }, -> { store.set_multi({ "a" => 1, "key" => value }) },
           -> { store.fetch("new") { value } }].each do |call|
            expect(&call).to raise_error(Ccache::InvalidValue, /nested too deeply/)
          end
        end)
        expect([store["key"], store.size, value.frozen?]).to eq(["old", 1, false])
      end
    end

    it "that a bigger stack kept are an error of ours to get, and replaced by fetch, in #{place}" do
      store = described_class.new(values: :fresh)
      encoded = "\x04\b".b + ("[\x06".b * 100_000) + "i\x06".b
      store.send(:_write, "key", encoded, true, nil, nil, true, nil, 0)
      run.call(lambda do
        [-> { store["key"] }, -> { store.entry("key") }, -> { store.update("key") { nil } }].each do |call|
          expect(&call).to raise_error(Ccache::CodecError, /nested too deeply.*"key"/)
        end
        expect(store.fetch("key") { 1 }).to eq(1)
      end)
    end

    it "are looked at to any depth in #{place}" do
      leaf = Struct.new(:a).new(Set[1..2])
      run.call(lambda do
        plain = 100_000.times.inject(leaf) { |inner, _| [inner] }
        expect(Ccache::PlainData.plain?(plain)).to be(true)
        expect(Ccache::PlainData.plain?(100_000.times.inject(Object.new) { |inner, _| { 1 => inner } })).to be(false)
      end)
    end
  end

  it "may refer to themselves" do
    cycle = [1]
    cycle << { "a" => cycle }
    expect(Ccache::PlainData.plain?(cycle)).to be(true)
    store = described_class.new(values: :auto)
    store["key"] = cycle
    expect(store["key"][1]["a"]).to equal(store["key"])
  end
end
