# frozen_string_literal: true

require "json"

# The gem's Rust with something built into it that counts or checks, in a target folder of
# its own. The target is named, so that build scripts and macros, which the compiler loads
# into itself, are left as they are. A stable compiler takes such flags when it is told to.
class Instrumented
  # Of the binding, with as few rounds as under valgrind.
  SPECS = Dir["spec/{ccache,pins,remote}/**/*_spec.rb"].freeze

  # @return [String] of this machine, as "x86_64-unknown-linux-gnu"
  def self.host
    @host ||= `rustc -vV`[/^host: (.+)/, 1]
  end

  attr_reader :folder

  # @param name [String] of the folder
  # @param flags [String] for the compiler
  def initialize(name, flags)
    @folder = File.expand_path("target/#{name}")
    @environment = { "RUSTC_BOOTSTRAP" => "1", "RUSTFLAGS" => flags, "CARGO_TARGET_DIR" => folder }
  end

  # @param environment [Hash] of the tests
  # @return [Array<String>] the programs with the tests
  def test_core(environment, *arguments)
    arguments = ["--package", "ccache_core", "--quiet", "--target", triple, *arguments]
    sh({ **@environment, **environment }, "cargo", "test", *arguments)
    built = IO.popen([@environment, "cargo", "test", *arguments, "--no-run", "--message-format=json"], &:readlines)
    built.filter_map { |line| JSON.parse(line)["executable"] }
  end

  # In a copy of the project that has the extension.
  #
  # @param environment [Hash] of the specs
  # @param except [Array<String>] files that say nothing here
  # @return [String] the extension's file
  def run_specs(environment, except: [])
    sh(@environment, "cargo", "build", "--package", "ccache", "--features", "testing", "--quiet", "--target", triple)
    extension = File.join(folder, triple, "debug", "libccache.so")
    tree = copy_project
    FileUtils.cp(extension, File.join(tree, "lib/ccache/ccache.#{RbConfig::CONFIG["DLEXT"]}"))
    # Bundler would load the project's own version beside the copy's.
    Bundler.with_unbundled_env do
      sh({ "MEMCHECK" => "1", **environment }, RbConfig.ruby, "-S", "rspec", *SPECS - except, chdir: tree)
    end
    extension
  end

  private

  include Rake::FileUtilsExt

  def triple
    self.class.host
  end

  def copy_project
    File.join(folder, "project").tap do |tree|
      FileUtils.rm_rf(tree)
      FileUtils.mkdir_p(tree)
      FileUtils.cp_r(%w[lib spec docs .rspec], tree)
    end
  end
end
