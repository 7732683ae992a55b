# frozen_string_literal: true

require "rubygems/package"

GEM_FILE = File.join("pkg", GEMSPEC.file_name)

desc "Build the source gem into pkg/"
task :build do
  mkdir_p "pkg", verbose: false
  Gem::Package.build(GEMSPEC, false, true, File.expand_path(GEM_FILE))
end

desc "Build the gem and install it"
task install: :build do
  # As a user would: without this project's Bundler around it.
  Bundler.with_unbundled_env { sh "gem", "install", "--local", GEM_FILE }
end
