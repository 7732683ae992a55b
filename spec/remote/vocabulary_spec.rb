# frozen_string_literal: true

require "bigdecimal"
require "date"
require "set"

# To see red: in lib/ccache/coders/json.rb leave out `check`.
RSpec.describe Ccache::Store, "what a coder has a word for" do
  # An object that makes JSON and the like of itself.
  converting = Class.new do
    def to_json(*) = '"me"'
    def to_h = { "a" => 1 }
    def to_msgpack(packer) = packer.write("me")
    def to_s = "me"
  end
  same = {
    "nil" => nil, "booleans" => [true, false], "Integers" => [0, -1, 2**62], "Floats" => [1.5, -0.0, 1e300, 1e-7],
    "Strings" => ["", "é\u{1F600}", "a\u2028\"\\\n\0"], "Arrays" => [[], [[1], []]],
    "Hashes" => { "a" => { "b" => nil } }
  }
  neither = {
    "Set" => Set[1], "Time" => Time.now, "Date" => Date.today, "DateTime" => DateTime.now, "Rational" => 1r,
    "Complex" => 1i, "BigDecimal" => BigDecimal("1.5"), "Range" => (1..2), "Object" => Object.new, "Regexp" => /a/,
    "Struct" => Struct.new(:a).new(1), "Class" => String, "Proc" => proc {}, "BasicObject" => BasicObject.new,
    "an object that converts itself" => converting.new, "Exception" => StandardError.new("a"),
    "a subclass of String" => Class.new(String).new("a"), "of Array" => Class.new(Array).new,
    "of Hash" => Class.new(Hash).new,
    "a String of another encoding" => "é".encode("ISO-8859-1"), "UTF-16" => "a".encode("UTF-16LE"),
    "two names alike" => { a: 1, "a" => 2 },
    "two Strings alike" => {}.compare_by_identity.tap { |hash| 2.times { |index| hash[+"a"] = index } }
  }
  only_json_refuses = {
    "NaN" => Float::NAN, "Infinity" => -Float::INFINITY, "binary" => "\xFF".b, "broken UTF-8" => "\xFF",
    "Integer keys" => { 1 => 2 }, "a nil key" => { nil => 1 }, "an Array as key" => { [1] => 1 },
    "a Float key" => { 1.5 => 1 }
  }
  only_message_pack_refuses = { "65 bits" => 2**64, "64 bits and a sign" => -(2**63) - 1 }

  def holds?(store, value)
    store.set("key", value)
    back = [store["key"], remote(coder: store_coder)["key"]]
    back.all? { |one| Marshal.dump(one) == Marshal.dump(value) && one.instance_of?(value.class) }
  end

  def refusal(store, value)
    store.set("key", "old")
    tag = raw("key")
    error = nil
    [-> { store.set("key", value) }, -> { store["key"] = [value] },
     -> { store.set_multi({ "x" => 1, "key" => { "a" => value } }) }].each do |call|
      expect(&call).to raise_error(Ccache::CodecError) { |raised| error ||= raised }
    end
    expect([store["key"], raw("key"), raw("x")]).to eq(["old", tag, nil])
    error.message
  end

  { json: [neither.merge(only_json_refuses), same.merge(only_message_pack_refuses), []],
    message_pack: [neither.merge(only_message_pack_refuses), same.merge(only_json_refuses.except("NaN")),
                   [:msgpack]] }.each do |coder, (refused, taken, tags)|
    describe coder.to_s, *tags do
      let(:store_coder) { coder }

      taken.each do |name, value|
        it("brings back as they were: #{name}") { expect(holds?(remote(coder: coder), value)).to be(true) }
      end

      refused.each do |name, value|
        it "refuses, and writes nothing: #{name}" do
          kind = Regexp.escape(Ccache::Error.class_of(value).to_s)
          kind = "[A-Z][a-zA-Z]+ as the key of a Hash" if /key/.match?(name)
          expect(refusal(remote(coder: coder), value))
            .to match(/the coder cannot dump a.* has no word for a #{kind}|two keys of a Hash are the same/)
        end
      end

      it "makes Strings of Symbols" do
        store = remote(coder: coder)
        store.set("key", { a: [:b, { c: :é }] })
        expect(store["key"]).to eq("a" => ["b", { "c" => "é" }])
      end

      it "names the class within, and shows no value" do
        message = refusal(remote(coder: coder), { "secret" => ["hidden", Set["hidden"]] })
        expect(message).to match(/cannot dump a Hash.*no word for a Set/).and match(/\A(?!.*(secret|hidden))/)
      end

      it "refuses what refers to itself, or is nested too deeply, in a fiber as well" do
        cycle = []
        cycle << cycle << cycle
        deep = 100_000.times.inject([]) { |inner, _| [inner] }
        store = remote(coder: coder)
        [->(work) { work.call }, ->(work) { Fiber.new(&work).resume }].each do |run|
          run.call(lambda do
            [cycle, deep].each { |value| expect { store["key"] = value }.to raise_error(Ccache::CodecError, /nested/) }
          end)
        end
        shared = [1]
        store["key"] = [shared, [shared, { "a" => shared }]]
        expect(store["key"]).to eq([[1], [[1], { "a" => [1] }]])
      end
    end
  end

  it "is nested as deeply as JSON says, and more than its default" do
    value = 500.times.inject([1]) { |inner, _| [inner] }
    remote(coder: :json).set("key", value)
    Fiber.new { expect(remote(coder: :json)["key"] == value).to be(true) }.resume
  end

  it "is the same with Active Support, which gives everything an as_json" do
    script = <<~RUBY
      require "active_support"
      require "active_support/json"
      require "ccache"
      require "json"
      coder = Ccache::Coders.find(:json)
      [Set[1], Time.now, { 1 => 2 }, Object.new, Struct.new(:a).new(1), 1r].each do |value|
        coder.dump([value]) rescue print(".")
      end
      print coder.dump({ a: ["<&>", 1.5, nil, :b] })
    RUBY
    output = IO.popen([RbConfig.ruby, "-I", File.expand_path("../../lib", __dir__), "-e", script], &:read)
    expect(output).to eq(%(......{"a":["<&>",1.5,null,"b"]}))
  end

  it "includes what MessagePack's factory has a type for", :msgpack do
    require "msgpack"
    type = Struct.new(:text)
    expect { remote(coder: :message_pack).set("key", type.new("a")) }.to raise_error(Ccache::CodecError)
    script = <<~RUBY
      require "ccache"
      require "msgpack"
      Thing = Struct.new(:text)
      MessagePack::DefaultFactory.register_type(1, Thing, packer: ->(t) { t.text }, unpacker: ->(t) { Thing.new(t) })
      coder = Ccache::Coders.find(:message_pack)
      print coder.load(coder.dump([Thing.new("a")])) == [Thing.new("a")]
    RUBY
    lib = File.expand_path("../../lib", __dir__)
    expect(IO.popen([RbConfig.ruby, "-I", lib, "-e", script], &:read)).to eq("true")
  end
end
