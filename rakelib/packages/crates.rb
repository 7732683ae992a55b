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
    @nodes = metadata.fetch("resolve").fetch("nodes").to_h { |node| [node.fetch("id"), node] }
    @packages = metadata.fetch("packages").to_h { |package| [package.fetch("id"), package] }
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
      linked = reach { |kind, package| kind.nil? && !procedural_macro?(package) }
      crates = reach { |kind, _package| kind != "dev" }.map { |id| crate(id, linked.include?(id)) }
      crates.sort_by { |crate| [crate.name, Gem::Version.new(crate.version[/[^+]+/])] }
    end
  end

  # The ids of what the extension needs, over edges that the block lets through.
  def reach(&passes)
    found = [@packages.each_value.find { |package| package.fetch("name") == "ccache" }.fetch("id")]
    found.each { |id| found.concat(needs(id, &passes) - found) }
  end

  def needs(id)
    @nodes.fetch(id).fetch("deps").filter_map do |dependency|
      package = @packages.fetch(dependency.fetch("pkg"))
      package.fetch("id") if dependency.fetch("dep_kinds").any? { |kind| yield kind.fetch("kind"), package }
    end
  end

  def procedural_macro?(package)
    package.fetch("targets").any? { |target| target.fetch("kind").include?("proc-macro") }
  end

  def crate(id, linked)
    package = @packages.fetch(id)
    name, version = package.values_at("name", "version")
    Crate.new(id: id, name: name, version: version, license: package.fetch("license"),
              directory: File.dirname(package.fetch("manifest_path")), checksum: checksums[[name, version]],
              linked: linked, needs: needs(id) { |kind, _package| kind != "dev" })
  end

  def checksums
    @checksums ||= File.read(File.join(ROOT, "Cargo.lock"))
                       .scan(/^name = "(.+)"\nversion = "(.+)"\nsource = .+\nchecksum = "(\h+)"/)
                       .to_h { |name, version, checksum| [[name, version], checksum] }
  end

  def metadata
    @metadata ||= begin
      platforms = PLATFORMS.flat_map { |name| ["--filter-platform", name] }
      output, status = Open3.capture2(*%w[cargo metadata --format-version 1 --locked], *platforms, chdir: ROOT)
      raise "cargo metadata failed" unless status.success?

      JSON.parse(output)
    end
  end
end
