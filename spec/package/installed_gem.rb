# frozen_string_literal: true

require "bundler"
require "digest"
require "fileutils"
require "open3"
require "tmpdir"
require_relative "../../rakelib/packages/gem_file"

# The built gem in a GEM_HOME that has nothing else, as a user gets it; the app's Gemfile finds
# it there. Kept in tmp/ as long as the gem's files and the Ruby are the same.
module InstalledGem
  KEPT = File.join(GemFile::ROOT, "tmp/installed")

  # Where cargo builds, and what keeps make from cleaning up there: a change of ours must not
  # have all crates compiled again.
  BUILT = { "RB_SYS_CARGO_TARGET_DIR" => File.join(GemFile::ROOT, "target/installed"),
            "MAKEFLAGS" => "CLEANOBJS= RUBYGEMS_CLEAN_DIRS=" }.freeze

  class << self
    # @return [String] the GEM_HOME, as Ruby names what it loads there: a clone has a link to it
    def home
      @home ||= File.join(KEPT, digest).then do |home|
        alone { install_into(home) unless File.exist?(home) }
        File.realpath(home)
      end
    end

    # What a program needs to find it, and not the source tree.
    def environment
      { "GEM_HOME" => home, "RUBYOPT" => nil, "RUBYLIB" => nil }
    end

    # @raise [RuntimeError] with the output
    def install(home, environment = {})
      Dir.mktmpdir("ccache-gem") do |directory|
        gem = Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
          GemFile.build(specification, File.join(directory, "ccache.gem"))
        end
        env = { "GEM_HOME" => home, "CARGO_TARGET_DIR" => nil, **BUILT, **environment }
        run(Gem.ruby, "-S", "gem", "install", "--local", "--no-document", gem, directory: directory, env: env)
      end
    end

    # Without this process's Bundler, which must not reach the user's.
    #
    # @raise [RuntimeError] with the output
    def run(*command, directory:, env: {})
      Bundler.with_unbundled_env do
        output, status = Open3.capture2e(env, *command, chdir: directory)
        status.success? ? output : raise("#{command.join(" ")}:\n#{output}")
      end
    end

    private

    # Another process of specs may be about to do the same.
    def alone
      FileUtils.mkdir_p(File.dirname(KEPT))
      File.open("#{KEPT}.lock", File::RDWR | File::CREAT) do |file|
        file.flock(File::LOCK_EX)
        yield
      end
    end

    def install_into(home)
      FileUtils.rm_rf(KEPT)
      seed(BUILT.fetch("RB_SYS_CARGO_TARGET_DIR"), File.join(GemFile::ROOT, "target/release"))
      install("#{home}.new")
      FileUtils.mv("#{home}.new", home)
    end

    # What the checkout's own build has compiled of the crates is as good here.
    def seed(folder, own)
      return if File.exist?(folder) || !File.exist?(own)

      FileUtils.mkdir_p(folder)
      FileUtils.cp_r(own, folder, preserve: true)
    end

    def specification
      Gem::Specification.load(File.join(GemFile::ROOT, "ccache.gemspec"))
    end

    def digest
      files = specification.files.grep_v(/\.md\z/).sort
      contents = files.map { |file| "#{file}\n#{File.binread(File.join(GemFile::ROOT, file))}" }
      Digest::SHA256.hexdigest([RUBY_DESCRIPTION, *contents].join)[0, 16]
    end
  end
end
