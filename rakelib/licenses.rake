# frozen_string_literal: true

require_relative "packages/crates"
require_relative "packages/licenses"
require_relative "packages/sbom"

# What the gems carry about the crates in them.
def notices
  crates = Crates.new
  { "LICENSE-THIRD-PARTY.txt" => Licenses.new(crates).to_s,
    "docs/sbom.cdx.json" => Sbom.new(crates, GEMSPEC.version.to_s).to_s }
end

desc "Write the licences of the linked crates and the bill of materials, from Cargo.lock"
task :licenses do
  notices.each { |file, text| File.write(file, text) }
end

namespace :lint do
  desc "Check that the licences and the bill of materials are those of Cargo.lock"
  task :licenses do
    stale = notices.reject { |file, text| File.exist?(file) && File.read(file, encoding: "UTF-8") == text }.keys
    abort "not as Cargo.lock says: #{stale.join(", ")}\nRun: rake licenses" unless stale.empty?
  end

  # Not part of lint: cargo-deny takes minutes to install.
  desc "Check licences, duplicates and sources of the crates with cargo-deny"
  task :deny do
    sh "cargo", "deny", "--locked", "check", "licenses", "bans", "sources"
  end

  # What it says depends on the day.
  desc "Check the crates with cargo-deny against RustSec's advisories, which it fetches"
  task :advisories do
    sh "cargo", "deny", "--locked", "check", "advisories"
  end
end
