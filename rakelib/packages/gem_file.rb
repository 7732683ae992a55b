# frozen_string_literal: true

require "fileutils"
require "rubygems/package"
require "tmpdir"

# Packs a gem so that the same files give the same bytes, whoever checked them out,
# when, and with what umask.
module GemFile
  ROOT = File.expand_path("../..", __dir__)
  # What RubyGems itself takes since version 4. A commit's date would change the bytes
  # with each commit, whatever is in it.
  SOME_DATE = Time.utc(1980, 1, 2).to_i

  class << self
    # @param specification [Gem::Specification]
    # @param path [String] of the gem
    # @param sources [Hash{String => String}] of files that are not where their name says
    # @return [String] the path
    def build(specification, path, sources = {})
      specification = specification.dup
      specification.date = Time.at(date).utc
      Dir.mktmpdir("ccache-gem") do |stage|
        specification.files.each { |name| copy(sources.fetch(name, File.join(ROOT, name)), File.join(stage, name)) }
        pack(specification, stage, File.expand_path(path))
      end
      path
    end

    # Of all that is in the gem, as https://reproducible-builds.org/specs/source-date-epoch says.
    #
    # @return [Integer] seconds since 1970
    def date
      Integer(ENV.fetch("SOURCE_DATE_EPOCH", SOME_DATE))
    end

    private

    def copy(from, to)
      FileUtils.mkdir_p(File.dirname(to))
      FileUtils.cp(from, to)
      File.chmod(to.end_with?(".so") ? 0o755 : 0o644, to)
    end

    def pack(specification, stage, path)
      FileUtils.mkdir_p(File.dirname(path))
      before = ENV.fetch("SOURCE_DATE_EPOCH", nil)
      ENV["SOURCE_DATE_EPOCH"] = date.to_s
      Dir.chdir(stage) { Gem::Package.build(specification, false, true, path) }
    ensure
      ENV["SOURCE_DATE_EPOCH"] = before
    end
  end
end
