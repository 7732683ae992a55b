# frozen_string_literal: true

# To see red: in lib/ccache/plain_data.rb ask `object.is_a?(Struct)`.
RSpec.describe Ccache::Store, "objects that answer nothing, or lie" do
  # What each is made of is new each time.
  wrapped = {
    "by itself" => ->(object) { object }, "in an Array" => ->(object) { [1, object] },
    "in a Hash" => ->(object) { { a: object } }, "in a Struct" => ->(object) { Ccache::SpecPair.new(object) }
  }
  basics = {
    "a BasicObject" => -> { BasicObject.new },
    "one that raises" => lambda do
      Class.new(BasicObject) do
        def method_missing(*) = ::Kernel.raise(::NotImplementedError) # rubocop:disable Style/MissingRespondToMissing
      end.new
    end
  }

  before { stub_const("Ccache::SpecPair", Struct.new(:a)) }

  wrapped.to_a.product(basics.to_a) do |(where, wrap), (name, make)|
    %i[auto copied frozen].each do |values|
      it "is an error of ours: #{name}, #{where}, #{values}" do
        [described_class.new(values: values), remote(values: values)].each do |store|
          store.set("key", "old")
          calls = [-> { store.set("key", wrap.call(make.call)) }, -> { store["key"] = wrap.call(make.call) },
                   -> { store.set_multi({ "key" => wrap.call(make.call) }) },
                   -> { store.fetch("other", skip_nil: true) { wrap.call(make.call) } }]
          calls.each { |call| expect(&call).to raise_error(Ccache::Error) }
          expect([store["key"], store["other"]]).to eq(["old", nil])
        end
      end
    end
  end

  it "is shared as it is, and may be replaced" do
    basic = BasicObject.new
    store = described_class.new
    store["key"] = basic
    expect([store["key"], store.fetch("new", skip_nil: true) { basic }].map(&:__id__)).to eq([basic.__id__] * 2)
    expect(store.update("key") { 1 }).to be_a(String)
  end

  it "is no key, and the error shows what it is", :mistyped do
    store = described_class.new
    [BasicObject.new, Class.new { def inspect = raise(NotImplementedError) }.new,
     Class.new { def inspect = 1 }.new].each do |key|
      [-> { store[key] }, -> { store[key] = 1 }, -> { store.fetch(key) { 1 } }, -> { store.get_multi(key) },
       -> { store.delete(key) }].each do |call|
        expect(&call).to raise_error(Ccache::InvalidKey, /a String or a Symbol, got an instance of|got 1/)
      end
    end
  end

  it "is kept for what it is, whatever it says of itself" do
    liars = [
      Class.new { def is_a?(_) = true }, Class.new { def class = String },
      Class.new { def instance_of?(_) = true }, Class.new { def hash = raise("no") },
      Class.new { def ==(other) = raise("no #{other}") }, Class.new { def nil? = true },
      Class.new { def respond_to?(name, all = false) = name.to_s.start_with?("marshal") ? false : super } # rubocop:disable Style/OptionalBooleanParameter
    ]
    liars.each_with_index do |kind, index|
      stub_const("OddSpecLiar#{index}", kind)
      object = kind.new
      expect(Ccache::PlainData.plain?([object])).to be(false)
      store = described_class.new(values: :auto)
      store["key"] = [object]
      expect(Ccache::Error.class_of(store["key"].first)).to equal(kind)
      expect(described_class.new.fetch("key", skip_nil: true) { object }).to equal(object)
    end
  end

  it "is a struct by its members, and a Hash keeps how it compares" do
    struct = stub_const("OddSpecStruct", Struct.new(:a) { def to_a = [] })
    expect(Ccache::PlainData.plain?(struct.new(Object.new))).to be(false)
    store = described_class.new(values: :auto)
    store["key"] = {}.compare_by_identity.merge!("a" => 1)
    expect(store["key"]).to be_compare_by_identity
    expect(Ccache::PlainData.plain?(Hash.new { 1 })).to be(false)
  end
end
