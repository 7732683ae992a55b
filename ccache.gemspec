# frozen_string_literal: true

require_relative "lib/ccache/version"

Gem::Specification.new do |spec|
  spec.name = "ccache"
  spec.version = Ccache::VERSION
  spec.summary = "Conditional cache: live Ruby objects in a concurrent Rust map, each with an ETag"
  spec.description = "An in-process cache that returns the very object that was stored: no copy, no Marshal, " \
                     "no garbage collection pause that grows with it."
  spec.authors = ["The ccache maintainers"]
  spec.homepage = "https://github.com/ccache-rb/ccache"
  spec.license = "MIT"

  spec.required_ruby_version = ">= 3.1"
  spec.required_rubygems_version = ">= 3.3.11"

  spec.files = Dir.chdir(__dir__) do
    Dir["lib/**/*.rb", "ext/**/*.{rs,rb,toml}", "Cargo.{toml,lock}", "sig/**/*.rbs",
        "docs/**/*.md", "docs/sbom.cdx.json", "README.md", "CHANGELOG.md", "LICENSE.txt", "LICENSE-THIRD-PARTY.txt"]
      .grep_v(%r{/(tests|target)/})
  end
  spec.require_paths = ["lib"]
  spec.extensions = ["ext/ccache/extconf.rb"]
  spec.metadata = { "rubygems_mfa_required" => "true", "cargo_crate_name" => "ccache",
                    "source_code_uri" => spec.homepage,
                    "changelog_uri" => "#{spec.homepage}/blob/main/CHANGELOG.md" }

  spec.add_dependency "rb_sys", "~> 0.9.97"
end
