# frozen_string_literal: true

require_relative "installed_gem"

# The gem as a user gets it: built, installed where nothing is, used from anywhere.
RSpec.describe "The packaged gem" do
  around { |example| Dir.mktmpdir("ccache-elsewhere") { |directory| (@elsewhere = directory) && example.run } }

  it "installs into an empty GEM_HOME and works from an empty directory", limit: 1800 do
    program = <<~'RUBY'
      require "ccache"
      store = Ccache::Store.new
      value = store.fetch("key") { Object.new }
      GC.start
      puts store.get("key").equal?(value), defined?(Ccache::Testing).inspect
      puts Gem.loaded_specs.fetch("ccache").full_gem_path
      puts $LOADED_FEATURES.grep(/ccache\.so/)
    RUBY
    output = InstalledGem.run(Gem.ruby, "-w", "-e", program, directory: @elsewhere, env: InstalledGem.environment)
    lines = output.lines(chomp: true)
    expect(lines[0..1]).to eq(%w[true nil])
    expect(lines[2..]).to all(start_with(InstalledGem.home))
    expect(lines.size).to eq(4)
  end

  it "says what is missing where there is no cargo" do
    path = ENV.fetch("PATH").split(":").reject { |directory| File.exist?(File.join(directory, "cargo")) }
    expect { InstalledGem.install(@elsewhere, "PATH" => path.join(":"), "CARGO" => nil) }
      .to raise_error(/ccache needs Rust 1.88 or later \(cargo was not found in PATH\) to be built from source/)
  end
end
