# frozen_string_literal: true

# Break glob.rs (say, the order of a range's ends) to see this red.
RSpec.describe Ccache::Store, "#delete_matched" do
  # Keys and patterns are made of what patterns have a meaning for, and some more.
  let(:letters) { [*"*?[]^!-\\abc/.\n\0".chars, "é", "\xff", "\x80"] }
  let(:random) { Random.new(seed) }
  let(:seed) { Integer(ENV.fetch("CCACHE_PATTERNS_SEED", "20240917")) }
  let(:keys) { Array.new(300) { text(1..5) }.push("aaaa", "a*b", "[a]", "\\").uniq }

  def text(lengths)
    Array.new(random.rand(lengths)) { letters.sample(random: random).b }.join
  end

  def pattern
    shapes = [-> { text(0..7) }, -> { "[#{text(0..4)}]" }, -> { "[^#{text(0..3)}" }, -> { "*#{text(0..2)}" },
              -> { "[#{text(1..1)}-#{text(1..1)}]" }, -> { "#{text(0..2)}\\" }, -> { "#{text(0..1)}[!#{text(1..2)}]" }]
    Array.new(random.rand(1..2)) { shapes.sample(random: random).call.b }.join
  end

  # What each pattern matches at the server, asked for in a namespace.
  def matched_by(server, patterns)
    keys.each { |key| server.command("SET", "n:#{key}".b, "1") }
    patterns.to_h { |pattern| [pattern, server.command("KEYS", "n:#{pattern}".b).map { |key| key.b[2..] }.sort] }
  ensure
    server.command("FLUSHALL")
  end

  def matched_here(patterns)
    store = described_class.new
    removed_from(store, patterns) { store.keys }
  end

  # What each pattern removes from a store; the block says what is left.
  def removed_from(store, patterns)
    store.set_multi(keys.to_h { |key| [key, 1] })
    patterns.to_h do |pattern|
      count = store.delete_matched(pattern)
      gone = keys.map(&:b).sort - yield.map(&:b)
      store.set_multi(gone.to_h { |key| [key, 1] })
      expect([pattern, count]).to eq([pattern, gone.size])
      [pattern, gone]
    end
  end

  Server.installed.each do |binary|
    it "removes what a #{binary} matches, for thousands of patterns" do
      patterns = Array.new(Scale.of(4000, small: 400)) { pattern }.push("", "*", "[", "[^", "v/[!a]", "\\", "[\\").uniq
      there = matched_by(Server.new(binary: binary).tap { |server| own_servers << server }, patterns)
      here = matched_here(patterns)
      wrong = patterns.find { |pattern| here[pattern] != there[pattern] }
      expect([seed, wrong, here[wrong], there[wrong]]).to eq([seed, nil, nil, nil])
    end
  end

  it "removes the same with a server, in a namespace that looks like a pattern" do
    patterns = Array.new(Scale.of(100, small: 10)) { pattern }
    store = remote(namespace: "n*[#{namespace}]?\\")
    removed = removed_from(store, patterns) { store.get_multi(*keys).keys }
    expect(matched_here(patterns)).to eq(removed)
  end

  it "takes no time for a pattern that makes other matchers go back for ever" do
    store = described_class.new
    store["a" * 100_000] = 1
    expect(store.delete_matched("#{"a*" * 500}b")).to eq(0)
    expect(store.delete_matched("#{"*a" * 500}*")).to eq(1)
  end
end
