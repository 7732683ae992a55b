# frozen_string_literal: true

require "bundler"
require "digest"
require "fileutils"
require "open3"
require "rubygems/package"
require "tmpdir"

# The built gem in a GEM_HOME that has nothing else, where the app's Gemfile finds it.
# Kept in tmp/ as long as the gem's files are the same.
module InstalledGem
  ROOT = File.expand_path("../..", __dir__)

  class << self
    # @return [String] the GEM_HOME
    def home
      @home ||= File.join(ROOT, "tmp/railtie", digest).tap { |home| install(home) unless File.exist?(home) }
    end

    # What a program needs to find it, and not the source tree.
    def environment
      { "GEM_HOME" => home, "RUBYOPT" => nil, "RUBYLIB" => nil }
    end

    # @raise [RuntimeError] with the output
    def run(*command, directory:, env: {})
      Bundler.with_unbundled_env do
        output, status = Open3.capture2e(env, *command, chdir: directory)
        status.success? ? output : raise("#{command.join(" ")}:\n#{output}")
      end
    end

    private

    def specification
      Dir.chdir(ROOT) { Gem::Specification.load("ccache.gemspec") }
    end

    def digest
      files = specification.files.grep_v(/\.md\z/).sort
      Digest::SHA256.hexdigest(files.map { |file| "#{file}\n#{File.binread(File.join(ROOT, file))}" }.join)[0, 16]
    end

    def install(home)
      FileUtils.rm_rf(Dir[File.join(ROOT, "tmp/railtie/*")])
      Dir.mktmpdir("ccache-gem") do |directory|
        gem = File.join(directory, "ccache.gem")
        Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
          Dir.chdir(ROOT) { Gem::Package.build(specification, false, false, gem) }
        end
        env = { "GEM_HOME" => "#{home}.new", "CARGO_TARGET_DIR" => nil }
        run(Gem.ruby, "-S", "gem", "install", "--local", "--no-document", gem, directory: directory, env: env)
      end
      FileUtils.mv("#{home}.new", home)
    end
  end
end
