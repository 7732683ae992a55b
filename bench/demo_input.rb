# frozen_string_literal: true

require "date"
require "json"
require "yaml"
require_relative "support"

# What the demo reads: keys, and how each one's value is loaded.
class DemoInput
  # A message for people.
  class Unusable < StandardError; end

  ATTRIBUTES = %i[
    name version platform summary description authors email homepage licenses metadata files require_paths
    bindir executables extensions extra_rdoc_files required_ruby_version required_rubygems_version
  ].freeze

  attr_reader :description, :keys

  def self.from(path)
    path ? of_file(path) : of_gems
  end

  def self.of_gems
    stubs = Gem::Specification.stubs.select(&:to_spec).to_h { |stub| [stub.full_name, stub] }
    new("gem specifications of this machine", stubs.keys) { |name| specification(stubs.fetch(name)) }
  end

  # The values are given away one by one, so that the store alone keeps them alive.
  def self.of_file(path)
    entries = parse(path)
    entries = entries.each_with_index.to_h { |entry, i| [i, entry] } if entries.is_a?(Array)
    raise Unusable, "#{path} must hold an object or a list, not #{entries.class}" unless entries.is_a?(Hash)
    raise Unusable, "#{path} has no entries" if entries.empty?

    entries.transform_keys!(&:to_s)
    new("entries of #{path}", entries.keys) { |key| entries.delete(key) }
  end

  def self.parse(path)
    text = read(path)
    yaml?(path) ? YAML.safe_load(text, permitted_classes: [Symbol, Date, Time], aliases: true) : JSON.parse(text)
  rescue JSON::ParserError, Psych::Exception, EncodingError, ArgumentError => e
    said = e.message.lines.first.strip.sub(/\A\d+: /, "") # a line of the parser's own source
    raise Unusable, "#{path} is not valid #{yaml?(path) ? "YAML" : "JSON"}: #{said[0, 160]}"
  end

  def self.read(path)
    text = File.binread(path).force_encoding("UTF-8").delete_prefix("\uFEFF")
    raise Unusable, "#{path} is empty" if text.empty?
    raise Unusable, "#{path} is not text in UTF-8" unless text.valid_encoding?

    text
  rescue SystemCallError => e
    raise Unusable, "cannot read #{path}: #{e.class.new.message}"
  end

  def self.yaml?(path)
    path.match?(/\.ya?ml\z/i)
  end

  # A specification as plain data, read from its file.
  def self.specification(stub)
    loaded = stub.to_spec
    attributes = ATTRIBUTES.to_h { |name| [name, plain(loaded.public_send(name))] }
    attributes.merge(dependencies: loaded.dependencies.map do |dependency|
      { name: dependency.name, type: dependency.type, requirement: dependency.requirement.to_s }
    end)
  end

  def self.plain(value)
    case value
    when nil, String, Symbol then value
    when Array, Hash then Marshal.load(Marshal.dump(value))
    else value.to_s
    end
  end
  private_class_method :of_gems, :of_file, :parse, :read, :yaml?, :specification, :plain

  def initialize(description, keys, &load)
    @description = "#{Bench.count(keys.size)} #{description}"
    @keys = keys
    @load = load
  end

  def load(key)
    @load.call(key)
  end
end
