# frozen_string_literal: true

# RFC 9110: 13.1.2 (the field), 8.8.3 (entity tags), 5.6.1 (lists).
#
# To see red: compare with the weakness, or drop what is malformed one by one.
RSpec.describe Ccache::IfNoneMatch do
  def match?(header, entity_tag = '"a"')
    described_class.parse(header).match?(entity_tag)
  end

  it "matches the tag that it names" do
    expect(match?('"a"')).to be(true)
    expect(match?('"b"')).to be(false)
    expect(match?('"A"')).to be(false)
  end

  it "compares weakly: neither side's W/ matters" do
    given = ['"a"', 'W/"a"']
    expect(given.product(given).map { |header, tag| match?(header, tag) }).to all(be(true))
  end

  it "matches any tag of a list, however it is spaced" do
    ['"b","a"', '"b" , "a"', "\t\"b\"\t,\t\"a\" ", 'W/"b", W/"a"', '"a","b","c"'].each do |header|
      expect(match?(header)).to be(true), header
    end
    expect(match?('"b", "c", W/"d"')).to be(false)
  end

  it "passes over empty members of a list" do
    [',"a"', '"a",', ', ,"b",, ,"a", ,'].each { |header| expect(match?(header)).to be(true), header }
    [",", " , ,"].each { |header| expect(match?(header)).to be(false), header }
  end

  it "takes commas, spaces' neighbours and an asterisk in quotes for parts of a tag" do
    expect(match?('"a,b"', '"a,b"')).to be(true)
    expect([match?('"a,b"'), match?('"b,a"'), match?('"*"')]).to all(be(false))
    expect(match?('"*"', '"*"')).to be(true)
    expect(match?('"W/"', 'W/"W/"')).to be(true)
  end

  it "takes an empty tag for a tag" do
    expect([match?('""', '""'), match?('W/"", "b"', '""')]).to eq([true, true])
    expect(match?('""')).to be(false)
  end

  it "matches whatever there is by an asterisk, and nothing where there is nothing" do
    ["*", " * ", "\t*"].each do |header|
      expect([match?(header), match?(header, 'W/"z"'), match?(header, nil)]).to eq([true, true, false])
    end
    expect(described_class.parse("*")).to be_any
  end

  it "takes bytes above 127 in a tag, in any encoding" do
    expect(match?('"é"', '"é"')).to be(true)
    expect(match?('"é"'.b, '"é"')).to be(true)
    expect(match?("\"\xE9\"", "\"\xE9\"".b)).to be(true)
    expect(match?("\"\xE9\"", '"é"')).to be(false)
  end

  it "ignores a header that is not well formed, as a whole" do
    ["a", "'a'", '"a', 'a"', '"a"b', '"a" "a"', 'w/"a"', 'W"a"', 'W/ "a"', "W/a", '"a", b', 'b, "a"', '*, "a"',
     '"a", *', "**", '"a";q=1', '"a b", "a"', "\"a\x7F\", \"a\"", "\"a\n\"", "\"a\"\n", "\"a\x00\"", '"a","',
     "\"a\"\n, \"a\""].each do |header|
      parsed = described_class.parse(header)
      expect([parsed.match?('"a"'), parsed.any?, parsed.empty?]).to eq([false, false, true]), header.inspect
    end
  end

  it "is empty without a header" do
    [nil, "", " "].each { |header| expect(described_class.parse(header)).to be_empty }
    expect([described_class.parse("*"), described_class.parse('"a"')].map(&:empty?)).to eq([false, false])
  end

  it "matches no response without an entity tag" do
    [nil, "", "a", '"a', 'w/"a"', '"a" '].each do |entity_tag|
      expect([match?('"a", ""', entity_tag), match?("*", entity_tag)]).to eq([false, false]), entity_tag.inspect
    end
  end

  it "reads a long list, and a long one that is malformed at its end, in one pass" do
    length = Scale.of(20_000, small: 200)
    list = Array.new(length) { |i| "W/\"#{i}\"" }.join(" , ")
    expect(match?(list, "\"#{length - 1}\"")).to be(true)
    expect(match?("#{list},#{" ," * length}x", '"1"')).to be(false)
  end

  it "agrees with a reader that goes by the grammar's letter, on random headers" do
    random = Random.new(1)
    pieces = ['"a"', '"b"', 'W/"a"', ",", " ", "\t", "*", '"', "W/", "a", "\x80".b, ", "]
    grammar = %r{\A[ \t,]*(?:(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t,]*|\z))*\z}n
    matched = Scale.of(20_000, small: 200).times.count do
      header = Array.new(random.rand(1..7)) { pieces.sample(random: random) }.join.b
      expected = header.strip == "*" || (header.match?(grammar) && header.match?(%r{(?:\A|[ \t,])(?:W/)?"a"}n))
      expect(match?(header)).to be(expected), header.inspect
      expected
    end
    expect(matched).to be > Scale.of(500, small: 2)
  end
end
