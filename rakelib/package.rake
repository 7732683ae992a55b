# frozen_string_literal: true

require_relative "packages/gem_file"

GEM_FILE = File.join("pkg", GEMSPEC.file_name)
GEM_FILES_LIST = "spec/package/files.txt"

desc "Build the source gem into pkg/"
task :build do
  GemFile.build(GEMSPEC, GEM_FILE)
end

desc "Build the gem and install it"
task install: :build do
  # As a user would: without this project's Bundler around it.
  Bundler.with_unbundled_env { sh "gem", "install", "--local", GEM_FILE }
end

namespace :package do
  desc "Write down which files are in the source gem; look at the difference before you commit it"
  task :list do
    File.write(GEM_FILES_LIST, "#{GEMSPEC.files.sort.join("\n")}\n")
  end
end
