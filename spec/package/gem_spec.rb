# frozen_string_literal: true

require "fileutils"
require "rubygems/package"
require "tmpdir"

# The gem as a user gets it: built, installed where nothing is, used from anywhere.
RSpec.describe "The packaged gem" do
  root = File.expand_path("../..", __dir__)

  before(:context) do
    @directory = Dir.mktmpdir("ccache-gem")
    @gem_file = File.join(@directory, "ccache.gem")
    specification = Dir.chdir(root) { Gem::Specification.load("ccache.gemspec") }
    Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
      Dir.chdir(root) { Gem::Package.build(specification, false, false, @gem_file) }
    end
  end

  after(:context) { FileUtils.rm_rf(@directory) }

  def install(home, environment = {})
    # What Bundler sets for this process must not reach the user's.
    clean = { "GEM_HOME" => home, "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil, "RUBYLIB" => nil,
              "CARGO_TARGET_DIR" => nil }
    command = [Gem.ruby, "-S", "gem", "install", "--local", "--no-document", @gem_file]
    output, status = Open3.capture2e(clean.merge(environment), *command, chdir: @directory)
    [output, status]
  end

  it "installs into an empty GEM_HOME and works from an empty directory", limit: 590 do
    home = File.join(@directory, "home")
    output, status = install(home)
    expect(status).to be_success, output

    program = <<~'RUBY'
      require "ccache"
      store = Ccache::Store.new
      value = store.fetch("key") { Object.new }
      GC.start
      puts store.get("key").equal?(value), defined?(Ccache::Testing).inspect
      puts Gem.loaded_specs.fetch("ccache").full_gem_path
      puts $LOADED_FEATURES.grep(/ccache\.so/)
    RUBY
    empty = File.join(@directory, "empty")
    FileUtils.mkdir(empty)
    environment = { "GEM_HOME" => home, "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil, "RUBYLIB" => nil }
    output, status = Open3.capture2e(environment, Gem.ruby, "-w", "-e", program, chdir: empty)
    expect(status).to be_success, output
    lines = output.lines(chomp: true)
    expect(lines[0..1]).to eq(%w[true nil])
    expect(lines[2..]).to all(start_with(File.realpath(home)))
    expect(lines.size).to eq(4)
  end

  it "says what is missing where there is no cargo" do
    path = ENV.fetch("PATH").split(":").reject { |directory| File.exist?(File.join(directory, "cargo")) }
    output, status = install(File.join(@directory, "no-cargo"), "PATH" => path.join(":"), "CARGO" => nil)
    expect(status).not_to be_success
    expect(output).to include("ccache needs Rust 1.88 or later (cargo was not found in PATH) to be built from source")
  end
end
