# frozen_string_literal: true

require "fileutils"

# The extension for each Ruby of the matrix, built in the root file system of a row.
# The first row is the one with the oldest C library, which all of them are built against.
module NativeBuild
  ROWS = { "3.1" => "debian-12", "3.3" => "debian-13", "3.4" => "ruby-3.4" }.freeze
  ROOT = File.expand_path("../..", __dir__)
  BUILT = "ccache/tmp/native/ccache.so"

  class << self
    def rubies
      ROWS.keys
    end

    # @return [String] where the extension for a Ruby is kept
    def path(ruby)
      File.join(ROOT, "tmp/native", ruby, "ccache.so")
    end

    # @yield [*command] to run each command with
    def build(ruby)
      row = ROWS.fetch(ruby)
      yield "bin/matrix", row, "--", "bin/support/extension"
      FileUtils.mkdir_p(File.dirname(path(ruby)))
      FileUtils.cp(File.join(ROOT, "tmp/matrix", row, "root", BUILT), path(ruby))
    end
  end
end
