# frozen_string_literal: true

require "active_support/cache/ccache_store"

# An app's subclass may have methods and instance variables of any name that neither Rails nor
# the docs have.
#
# Red with one private helper that does not begin with an underscore, as `find` did not.
RSpec.describe ActiveSupport::Cache::CcacheStore, "as a superclass" do
  parts = described_class.ancestors.select { |one| one.name.to_s.start_with?("Ccache::RailsStore") } + [described_class]
  helpers = parts.flat_map { |one| one.private_instance_methods(false) }
  of_rails = ActiveSupport::Cache::Store.instance_methods + ActiveSupport::Cache::Store.private_instance_methods +
             %i[instrument_multi] # Rails 7.1
  words = %i[find kept own added shared loaded generate lifetime named failed cut multi glance load store server values]

  theirs = helpers.grep(/\A_/).map { |name| name[1..].to_sym } + words
  theirs = theirs.uniq - of_rails - described_class.public_instance_methods

  subclass = Class.new(described_class) do
    theirs.each { |name| define_method(name) { |*| raise "#{name} is the user's" } }

    def initialize(...)
      super
      @values = @prefix = @namespace = @has_server = @error_handler = @store = Object.new
    end
  end

  [{}, { redis: Servers.shared.url(6) }, { values: :fresh }].each do |options|
    it "leaves all names to its subclass: #{options.keys}" do
      cache = subclass.new(namespace: "subclass", **options)
      cache.clear
      expect([cache.write("a", [1]), cache.read("a"), cache.fetch("b", expires_in: 60) { 2 }]).to eq([true, [1], 2])
      expect(cache.read_multi("a", "b")).to eq("a" => [1], "b" => 2)
      expect([cache.write_multi({ "c" => 3 }) && true, cache.fetch_multi("c", "d") do
                                                         4
                                                       end]).to eq([true, { "c" => 3, "d" => 4 }])
      expect([cache.increment("n"), cache.decrement("n", 2), cache.exist?("n")]).to eq([1, -1, true])
      expect([cache.delete("a"), cache.delete_multi(%w[b]), cache.delete_matched("d*")]).to eq([true, 1, 1])
      expect(cache.fetch(["k", 1], version: "1", race_condition_ttl: 5, expires_in: 60) { 5 }).to eq(5)
      cache.cleanup
      cache.clear
    end
  end

  it "has an underscore before whatever is private and not Rails'" do
    expect(helpers.size).to be > 50
    expect(helpers.grep_v(/\A(_|initialize)/) - of_rails).to be_empty
    of_store = ActiveSupport::Cache::Store.new.instance_variables
    expect(described_class.new.instance_variables.grep_v(/\A@_/) - of_store).to eq(%i[@ccache])
  end
end
