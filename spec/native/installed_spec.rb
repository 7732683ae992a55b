# frozen_string_literal: true

require "bundler"
require "rubygems/package"
require_relative "../../rakelib/packages/platform_gem"
require_relative "bare_machine"

# The platform gem as `rake native` has left it in pkg/, on machines that cannot build it.
RSpec.describe "The platform gem", limit: 1800 do
  source = Gem::Specification.load(File.join(GemFile::ROOT, "ccache.gemspec"))
  gem = File.join(GemFile::ROOT, "pkg", PlatformGem.new(source).specification.file_name)

  NativeBuild.rubies.each do |ruby|
    describe "with Ruby #{ruby}" do
      machine = BareMachine.new(ruby)

      before(:context) { @output, @status = Bundler.with_unbundled_env { machine.install(gem) } }

      it "installs where there is no compiler" do
        expect(@status).to be_success, @output
        expect(@output).to include("Successfully installed ccache-#{source.version}-")
        tools, = machine.run("for tool in cc gcc clang make cargo rustc; do command -v $tool; done; echo none")
        expect(tools).to eq("none\n")
      end

      it "works there" do
        output, status = machine.run("ruby -w spec/native/smoke.rb")
        expect(status).to be_success, output
        expect(output).to match(%r{\A16 checks with #{ruby}\.\d+, lib/ccache/#{ruby}/ccache\.so\n\z})
      end

      it "says what to do where this Ruby's extension is missing" do
        output, status = machine.require_after("mv #{ruby} /tmp/", "mv /tmp/#{ruby} .")
        expect(status).not_to be_success
        expect(output).to include("is for Ruby #{(NativeBuild.rubies - [ruby]).join(", ")}, and this is Ruby #{ruby}.",
                                  "gem install ccache --platform ruby")
      end

      it "says what to do where the extension does not load" do
        output, status = machine.require_after("cp #{ruby}/ccache.so /tmp/ && echo none >#{ruby}/ccache.so",
                                               "cp /tmp/ccache.so #{ruby}/")
        expect(status).not_to be_success
        expect(output).to include("does not work on this system", "gem install ccache --platform ruby")
      end
    end
  end

  it "is as large, within a tenth, as docs/releasing.md says", if: Gem::Platform.local.cpu == "x86_64" do
    said = File.read(File.join(GemFile::ROOT, "docs/releasing.md"))
               .match(/^\| `ccache-VERSION-x86_64-linux.gem` .*\| ([\d.]+) MB \| ([\d.]+) MB \|$/)
    contents = Gem::Package.new(gem).contents.reject { |name| name.end_with?(".so") }
    installed = [*contents.map { |name| File.join(GemFile::ROOT, name) },
                 *NativeBuild.rubies.map { |ruby| NativeBuild.path(ruby) }].sum { |file| File.size(file) }
    [File.size(gem), installed].zip(said.captures).each do |bytes, megabytes|
      expect(bytes / 1e6).to be_within(megabytes.to_f / 10).of(megabytes.to_f)
    end
  end

  describe "in its extensions" do
    NativeBuild.rubies.each do |ruby|
      it "asks for no newer C library than Debian 12 has, in that for Ruby #{ruby}" do
        symbols, = Open3.capture2("objdump", "-T", NativeBuild.path(ruby))
        versions = symbols.scan(/GLIBC_([\d.]+)/).flatten.uniq.map { |version| Gem::Version.new(version) }
        expect(versions.size).to be > 3
        expect(versions.max).to be <= Gem::Version.new("2.36")
      end

      it "has no debug information, and nothing but its entry to offer, in that for Ruby #{ruby}" do
        sections, = Open3.capture2("readelf", "--wide", "--sections", NativeBuild.path(ruby))
        expect(sections).to include(".text")
        expect(sections).not_to match(/\.debug|\.symtab/)
        symbols, = Open3.capture2("nm", "--dynamic", "--defined-only", NativeBuild.path(ruby))
        expect(symbols.lines.map { |line| line.split.last } - ["ruby_abi_version"]).to eq(["Init_ccache"])
      end
    end
  end
end
