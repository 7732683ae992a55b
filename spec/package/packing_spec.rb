# frozen_string_literal: true

require "digest"
require "fileutils"
require "json"
require "rubygems/package"
require "tmpdir"
require_relative "../../rakelib/packages/platform_gem"

# What is in the gems, and that it is the same whoever packs them.
RSpec.describe "Packing the gem" do
  root = GemFile::ROOT
  source = Gem::Specification.load(File.join(root, "ccache.gemspec"))
  list = File.readlines(File.join(root, "spec/package/files.txt"), chomp: true)

  around do |example|
    Dir.mktmpdir("ccache-packing") do |directory|
      @directory = directory
      Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { example.run }
    end
  end

  def contents(gem)
    Gem::Package.new(gem).contents.sort
  end

  # Packs a copy of what is packed, by itself, under another umask and with other dates.
  def pack_copy(source, name, umask:, mtime:)
    copy = File.join(@directory, name)
    [*source.files, "ccache.gemspec", "rakelib/packages/gem_file.rb"].each do |file|
      FileUtils.mkdir_p(File.dirname(File.join(copy, file)))
      FileUtils.cp(File.join(GemFile::ROOT, file), File.join(copy, file))
      File.chmod(0o666 & ~umask, File.join(copy, file))
      File.utime(mtime, mtime, File.join(copy, file))
    end
    program = "File.umask(#{umask}); GemFile.build(Gem::Specification.load('ccache.gemspec'), 'made.gem')"
    outcome, status = Open3.capture2e(RbConfig.ruby, "-r./rakelib/packages/gem_file", "-e", program, chdir: copy)
    expect(status).to be_success, outcome
    File.join(copy, "made.gem")
  end

  it "takes the files of the list, and no others (rake package:list writes it)" do
    gem = GemFile.build(source, File.join(@directory, "source.gem"))
    packed = contents(gem)
    expect(added: packed - list, missing: list - packed).to eq(added: [], missing: [])
  end

  it "is as large, within a tenth, as docs/releasing.md says, which also counts the crates" do
    page = File.read(File.join(root, "docs/releasing.md"))
    gem = GemFile.build(source, File.join(@directory, "source.gem"))
    said = page[/^\| `ccache-VERSION.gem` .*?\| ([\d.]+) MB \|/, 1].to_f * 1_000_000
    expect(File.size(gem)).to be_within(said / 10).of(said)
    linked = JSON.parse(File.read(File.join(root, "docs/sbom.cdx.json"))).fetch("components")
                 .count { |crate| crate.fetch("scope") == "required" }
    expect(page[/^(\d+) crates that are linked/, 1].to_i).to eq(linked)
  end

  it "gives the same bytes from another checkout, with another umask, at another time" do
    first = pack_copy(source, "first", umask: 0o022, mtime: Time.utc(2001))
    second = pack_copy(source, "second", umask: 0o077, mtime: Time.utc(2020))
    expect(Digest::SHA256.file(second)).to eq(Digest::SHA256.file(first))
    expect(Digest::SHA256.file(GemFile.build(source, File.join(@directory, "third.gem"))))
      .to eq(Digest::SHA256.file(first))
  end

  it "takes the date that SOURCE_DATE_EPOCH says, and leaves the specification alone" do
    before = source.date
    ENV["SOURCE_DATE_EPOCH"] = "86400"
    gem = GemFile.build(source, File.join(@directory, "dated.gem"))
    expect(Gem::Package.new(gem).spec.date).to eq(Time.utc(1970, 1, 2))
    expect(source.date).to eq(before)
    expect(ENV.fetch("SOURCE_DATE_EPOCH")).to eq("86400")
  ensure
    ENV.delete("SOURCE_DATE_EPOCH")
  end

  describe "for a platform" do
    let(:gem) { PlatformGem.new(source, %w[3.1 3.3]).specification }

    it "takes the extension for each Ruby, and nothing that builds it" do
      expected = list.grep_v(%r{\Aext/|\ACargo\.}) + %w[lib/ccache/3.1/ccache.so lib/ccache/3.3/ccache.so]
      expect(gem.files).to match_array(expected)
      expect([gem.extensions, gem.dependencies]).to eq([[], []])
      expect([source.extensions, source.dependencies.map(&:name)]).to eq([["ext/ccache/extconf.rb"], ["rb_sys"]])
    end

    it "is for the Rubies from the first to the last, on this platform" do
      rubies = %w[3.0.6 3.1.0 3.3.8 3.4.0].map { |ruby| Gem::Version.new(ruby) }
      accepted = rubies.select { |ruby| gem.required_ruby_version.satisfied_by?(ruby) }
      expect(accepted.map(&:to_s)).to eq(%w[3.1.0 3.3.8])
      expect(Gem::Platform).to be_match_gem(gem.platform, gem.name)
      expect(gem.file_name).to eq("ccache-#{source.version}-#{Gem::Platform.local.cpu}-linux.gem")
    end
  end
end
