# frozen_string_literal: true

require "json"
require "open3"

# The crates that the extension is made of, by Cargo.lock and what cargo says of them.
class Crates
  ROOT = File.expand_path("../..", __dir__)
  # What the gem is for; crates for other systems alone are not looked at.
  PLATFORMS = %w[x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl
                 aarch64-unknown-linux-musl x86_64-apple-darwin aarch64-apple-darwin].freeze

  # @param id [String] cargo's own name of it
  # @param linked [Boolean] whether it is in the extension; else it takes part in building it
  # @param needs [Array<String>] ids
  Crate = Struct.new(:id, :name, :version, :license, :directory, :checksum, :linked, :needs, keyword_init: true)

  include Enumerable

  def initialize
    metadata = JSON.parse(cargo("metadata", "--format-version", "1",
                                *PLATFORMS.flat_map { |name| ["--filter-platform", name] }))
    @nodes = metadata.fetch("resolve").fetch("nodes").to_h { |node| [node.fetch("id"), node] }
    @packages = metadata.fetch("packages").to_h { |package| [package.values_at("name", "version"), package] }
  end

  # All but our own, by name and version.
  def each(&)
    all.reject { |crate| own?(crate) }.each(&)
  end

  # Ours, whose needs begin the graph.
  def own
    all.select { |crate| own?(crate) }
  end

  private

  def own?(crate)
    crate.directory.start_with?(File.join(ROOT, "ext/"))
  end

  def all
    @all ||= begin
      linked = tree("normal,no-proc-macro")
      tree("normal,build").sort_by { |name, version| [name, Gem::Version.new(version[/[^+]+/])] }
                          .map { |crate| crate(*crate, linked.include?(crate)) }
    end
  end

  # The names and versions of what the extension needs. (Not by cargo metadata, which adds
  # what the tests' crates switch on in others.)
  def tree(edges)
    targets = PLATFORMS.flat_map { |name| ["--target", name] }
    cargo("tree", "--package", "ccache", "--edges", edges, "--prefix", "none", *targets)
      .scan(/^(\S+) v(\S+)/).uniq
  end

  def needs(id)
    dependencies = @nodes.fetch(id).fetch("deps")
    dependencies.reject { |dependency| dependency.fetch("dep_kinds").all? { |kind| kind.fetch("kind") == "dev" } }
                .map { |dependency| dependency.fetch("pkg") }
  end

  def crate(name, version, linked)
    package = @packages.fetch([name, version])
    Crate.new(id: package.fetch("id"), name: name, version: version, license: package.fetch("license"),
              directory: File.dirname(package.fetch("manifest_path")), checksum: checksums[[name, version]],
              linked: linked, needs: needs(package.fetch("id")))
  end

  def checksums
    @checksums ||= File.read(File.join(ROOT, "Cargo.lock"))
                       .scan(/^name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(\h+)"/)
                       .to_h { |name, version, checksum| [[name, version], checksum] }
  end

  def cargo(*arguments)
    output, status = Open3.capture2("cargo", *arguments, "--locked", chdir: ROOT)
    raise "cargo #{arguments.first} failed" unless status.success?

    output
  end
end
