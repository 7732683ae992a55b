# frozen_string_literal: true

require "rubygems/package"

# The gems that .github/workflows/gems.yml has built.
RELEASED_GEMS = FileList["pkg/*.gem"]

desc "Push all gems in pkg/ to RubyGems (the workflow release.yml does that)"
task release: "release:check" do
  # Source gem last: who installs meanwhile gets an older version, and needs no compiler.
  gems = RELEASED_GEMS.sort_by { |gem| File.basename(gem) == GEMSPEC.file_name ? 1 : 0 }
  gems.each { |gem| sh "gem", "push", gem unless released.include?(File.basename(gem, ".gem")) }
end

# @return [Array<String>] names of this version's gems that RubyGems has, from an earlier try
def released
  version = Gem::Dependency.new(GEMSPEC.name, GEMSPEC.version)
  Gem::SpecFetcher.fetcher.search_for_dependency(version, false).first.map { |gem, _| gem.full_name }
end

namespace :release do
  desc "Check that pkg/, the changelog and the tag (TAG=v1.2.3) are of one version"
  task :check do
    version = GEMSPEC.version
    of_crates = File.read("Cargo.toml")[/^version = "(.+)"/, 1]
    specifications = RELEASED_GEMS.map { |gem| Gem::Package.new(gem).spec }
    problems = {
      "pkg/ has no source gem" => specifications.none? { |gem| gem.platform == "ruby" },
      "pkg/ has no platform gem" => specifications.all? { |gem| gem.platform == "ruby" },
      "pkg/ has gems of another version than #{version}" => specifications.any? { |gem| gem.version != version },
      "Cargo.toml has another version than #{version}" => of_crates != version.to_s,
      "CHANGELOG.md has no section [#{version}]" => !File.read("CHANGELOG.md").include?("\n## [#{version}] - "),
      "the tag is not v#{version}" => ENV.fetch("TAG", "v#{version}") != "v#{version}"
    }.select { |_, wrong| wrong }.keys
    abort problems.join("\n") unless problems.empty?
  end
end
