# frozen_string_literal: true

# A native method may be left by a continuation while it runs Ruby code, and come back to after
# it has ended: so no Rust frame owns memory while Ruby runs. If one does, what it dropped is
# dropped again, and an entry's memory is freed under it.
#
# Red where `Taken::into_object` borrows the bytes while they are decoded, where `Store#delete`
# keeps its condition, or `look_multi` its entries, while Ruby runs.
RSpec.describe "Continuations" do
  include Processes
  include Servers

  # Hooks of "a" are captured; those of "b" leap into the first of them, whose frames then end
  # once more. A continuation is refused at another depth of the stack, so both go the same way.
  prologue = <<~'RUBY'
    $VERBOSE = nil
    require "continuation"

    $leaps = 0
    def leap(name)
      return unless Thread.current == Thread.main

      callcc { |here| $first ||= here if name == "a" }
      $first.call if name == "b" && ($leaps += 1) <= 3
    end

    class Leaper
      attr_reader :name

      def initialize(name) = @name = name
      def marshal_dump = @name

      def marshal_load(name)
        @name = name
        leap(name) if $leaping
      end
    end

    module LeapingCoder
      def self.dump(value) = Marshal.dump(value)
      def self.load(bytes) = Marshal.load(bytes).tap { |value| leap(value[0]) if $leaping }
    end

    # Marshal and Ruby themselves may refuse what came back.
    def attempt
      yield
    rescue StandardError
      nil
    end

    # As many of the same size as would take the place of what was freed.
    def overwrite(store)
      1000.times { |number| store.set("filler", format("%-8s", number), values: :fresh) }
    end

    def leaping
      $leaping = true
      attempt { yield "a" }
      5.times { attempt { yield "b" } }
      $leaping = false
      abort "nothing leapt" if $leaps.zero?
    end
  RUBY

  # Values that a store without a server encodes.
  encoded = <<~'RUBY'
    %w[a b].each { |name| store.set(name, Leaper.new(name), values: :fresh, etag: "the-tag-of-#{name}") }
  RUBY
  intact = <<~'RUBY'
    overwrite(store)
    print %w[a b].map { |name| store[name]&.name }.inspect
    store.close
    print " closed"
  RUBY

  { "get" => "store.get(name)",
    "[]" => "store[name]",
    "entry" => "store.entry(name)",
    "fetch" => "store.fetch(name) { raise }",
    "get, that knows another tag" => "store.get(name, if_none_match: 'another')",
    "each" => "store.each { |key, _| break if key == name }" }.each do |method, call|
    it "may come back to #{method} of an encoded value" do
      expect(output_of(prologue + <<~RUBY)).to eq('["a", "b"] closed')
        store = Ccache::Store.new
        #{encoded}
        leaping { |name| #{call} }
        #{intact}
      RUBY
    end
  end

  { "delete" => "store.delete(name)",
    "delete with a condition" => "store.delete(name, if_match: 'tag-of-' + name)",
    "set" => "store.set(name, 1)",
    "set with a tag and a condition" => "store.set(name, 1, etag: 'tag-of-new', if_match: 'tag-of-' + name)",
    "[]=" => "store[name] = 1" }.each do |method, call|
    it "may come back to #{method}, from a listener" do
      expect(output_of(prologue + <<~RUBY)).to eq("closed")
        store = Ccache::Store.new(on_evict: ->(key, *) { leap(key) if $leaping })
        %w[a b].each { |name| store.set(name, Object.new, etag: "tag-of-" + name) }
        leaping do |name|
          #{call}
          store.set(name, Object.new, etag: "tag-of-" + name)
        end
        overwrite(store)
        store.close
        print "closed"
      RUBY
    end
  end

  it "may come back to a listener that is given an encoded value" do
    expect(output_of(prologue + <<~RUBY)).to eq('["a", "b"] closed')
      store = Ccache::Store.new(on_evict: ->(*) {})
      #{encoded}
      leaping { |name| store.delete(name) and store.set(name, Leaper.new(name), values: :fresh) }
      #{encoded}
      #{intact}
    RUBY
  end

  it "may come back to the message about a key that is none" do
    program = prologue + <<~'RUBY'
      store = Ccache::Store.new(redis: ARGV.first)
      hook = Struct.new(:name) { def inspect = leap(name) || name }
      leaping { |name| store.get(hook.new(name), if_none_match: "a-tag-of-the-caller's-own") }
      overwrite(store)
      print "closed" unless store.close
    RUBY
    outcome = run_ruby(program, Servers.shared.url(7))
    expect(outcome).to succeed
    expect(outcome.output).to eq("closed")
  end

  { "get" => "store.get(name)",
    "get, not of plain data" => "store.get(name, values: :fresh)",
    "entry" => "store.entry(name)",
    "get with a time" => "store.get(name, max_age: 5)",
    "get_multi" => "store.get_multi(name, 'c')",
    "fetch_multi" => "store.fetch_multi(name, 'c') { raise }" }.each do |method, call|
    it "may come back to #{method} with a server" do
      program = prologue + <<~RUBY
        store = Ccache::Store.new(redis: ARGV.first, coder: LeapingCoder, values: :fresh, on_evict: ->(*) {})
        %w[a b c].each { |name| store.set(name, [name]) }
        leaping { |name| #{call} }
        overwrite(store)
        print %w[a b c].map { |name| store[name] }.inspect
        store.close
        print " closed"
      RUBY
      outcome = run_ruby(program, Servers.shared.url(7))
      expect(outcome).to succeed
      expect(outcome.output).to eq('[["a"], ["b"], ["c"]] closed')
    end
  end
end
