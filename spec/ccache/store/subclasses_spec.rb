# frozen_string_literal: true

# A subclass may have methods and instance variables of any name that is not documented: what is
# private to the store begins with an underscore.
#
# Red with one private helper that does not, as `read` did.
RSpec.describe Ccache::Store, "as a superclass" do
  own = ObjectSpace.each_object(Module).select { |one| one.name.to_s.start_with?("Ccache::Store", "Ccache::Notif") }
  helpers = own.flat_map { |one| one.private_instance_methods(false) }.grep(/\A_/).map { |name| name[1..].to_sym }
  words = %i[read write check keep count find load event server decode prepare look push pull put miss remove transfer
             weight freshness lock data values options key value name id cache client connection reject select map]
  documented = described_class.public_instance_methods

  # A class whose every undocumented method, by any name that comes to mind, is its user's own.
  subclass = Class.new(described_class) do
    ((helpers + words).uniq - documented).each { |name| define_method(name) { |*| raise "#{name} is the user's" } }

    def initialize(**)
      super
      @remote = @bounds = @values = @expires_in = @on_evict = @telling = @store = Object.new
    end
  end

  def use(store)
    store.set("a", { n: 1 }, expires_in: 60)
    store["b"] = 2
    store.set("c", "text", if_none_match: "*")
    expect([store.get("a"), store["b"], store.get("c", values: :fresh)]).to eq([{ n: 1 }, 2, "text"])
    expect(store.fetch("d", expires_in: 60) { [4] }).to eq([4])
    expect(store.fetch_multi("d", "e") { 5 }).to eq("d" => [4], "e" => 5)
    expect(store.set_multi({ "f" => 6 })).to have_key("f")
    expect(store.get_multi("a", "none")).to eq("a" => { n: 1 })
    expect(store.update("a") { |draft| draft[:n] = 3 }).to be_a(String)
    expect([store.increment("b"), store.decrement("b", 2)]).to eq([3, 1])
    expect([store.key?("a"), store.etag("a"), store.entry("a").value]).to match([true, String, { n: 3 }])
    expect([store.delete("c"), store.delete("a", if_match: store.etag("a")),
            store.delete_multi("d")]).to eq([true, true, 1])
    look_around(store)
  end

  def look_around(store)
    expect(store.each.to_a).not_to be_empty
    expect([store.hottest(1).size, store.keys, store.size, store.stats, store.inspect, store.pin_list.size]).to all(be)
    store.resize(max_entries: 10)
    expect(store.delete_matched("e*")).to eq(1)
    store.forget
    store.clear
    store.close
  end

  it "leaves all names to its subclass, in one process" do
    use(subclass.new(max_bytes: 1_000_000, on_evict: ->(*) {}, on_event: ->(*) {}))
  end

  it "leaves all names to its subclass, with a server" do
    use(subclass.new(redis: Servers.shared.url(6), namespace: "subclass", on_evict: ->(*) {}, stale_if_error: 1))
  end

  it "leaves all names to its subclass where events are published" do
    expect(output_of(<<~RUBY)).to eq("[1, 1]")
      require "ccache/notifications"
      Ccache::Notifications.publish
      names = #{(helpers + words - documented).uniq.inspect}
      subclass = Class.new(Ccache::Store) { names.each { |name| define_method(name) { |*| abort name.to_s } } }
      ActiveSupport::Notifications.subscribe(/ccache/) {}
      store = subclass.new
      print [store.fetch("a") { 1 }, store["a"]].inspect
    RUBY
  end

  it "has an underscore before whatever is private" do
    parts = own.select { |one| one == described_class || (one.name.start_with?("Ccache::Store") && !one.is_a?(Class)) }
    private_names = parts.flat_map { |one| one.private_instance_methods(false) }
    expect(private_names.size).to be > 100
    expect(private_names.grep_v(/\A(_|initialize)/)).to be_empty
    stores = [described_class.new, described_class.new(redis: "redis://localhost")]
    expect(stores.flat_map(&:instance_variables).grep_v(/\A@_/)).to be_empty
  end
end
