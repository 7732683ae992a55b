# frozen_string_literal: true

require "json"
require_relative "crates"

# The software bill of materials, in CycloneDX's JSON (https://cyclonedx.org/docs/1.5/json/).
# It has neither date nor serial number: the same crates give the same bytes.
class Sbom
  def initialize(crates, version)
    @crates = crates
    @version = version
  end

  def to_s
    "#{JSON.pretty_generate(document)}\n"
  end

  private

  def document
    { bomFormat: "CycloneDX", specVersion: "1.5", version: 1, metadata: { component: gem },
      components: @crates.map { |crate| component(crate) }, dependencies: dependencies }
  end

  def gem
    { type: "library", "bom-ref": gem_url, name: "ccache", version: @version, purl: gem_url,
      licenses: [{ license: { id: "MIT" } }] }
  end

  # What only takes part in building is "excluded", in CycloneDX's word.
  def component(crate)
    { type: "library", "bom-ref": url(crate), name: crate.name, version: crate.version, purl: url(crate),
      scope: crate.linked ? "required" : "excluded", hashes: [{ alg: "SHA-256", content: crate.checksum }],
      licenses: [{ expression: crate.license.gsub("/", " OR ") }] }
  end

  def dependencies
    urls = @crates.to_h { |crate| [crate.id, url(crate)] }
    needs = @crates.to_h { |crate| [url(crate), crate.needs] }
    needs = { gem_url => @crates.own.flat_map(&:needs).uniq }.merge(needs)
    needs.map do |url, ids|
      on = urls.values_at(*ids).compact.sort
      on.empty? ? { ref: url } : { ref: url, dependsOn: on } # Rubies write [] differently
    end
  end

  def gem_url
    "pkg:gem/ccache@#{@version}"
  end

  def url(crate)
    "pkg:cargo/#{crate.name}@#{crate.version.sub("+", "%2B")}"
  end
end
