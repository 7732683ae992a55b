# frozen_string_literal: true

require "fileutils"
require "open3"
require "tmpdir"
require_relative "../package/documented_commands"

# A clone of HEAD in a temporary folder, as somebody has it who begins here. What cargo builds
# goes into this checkout's target, so that it does not compile for minutes.
module FreshClone
  ROOT = File.expand_path("../..", __dir__)
  TARGET = File.join(ROOT, "target")

  class << self
    # @return [String] its folder
    def path
      @path ||= make
    end

    # @return [Array(String, Integer)] what the command printed, and its exit status
    def run(line, within: path)
      output, status = Bundler.with_unbundled_env do
        Open3.capture2e({ "CARGO_TARGET_DIR" => TARGET }, "bash", "-c", line, chdir: within)
      end
      [output.force_encoding("UTF-8").scrub, status.exitstatus]
    end

    private

    def make
      Dir.mktmpdir("ccache-clone").tap do |path|
        ThisProcess.at_exit { FileUtils.rm_rf(path) }
        said, status = run("git clone --quiet '#{ROOT}' . 2>&1", within: path)
        raise "git clone failed: #{said}" unless status.zero?

        FileUtils.mkdir_p([TARGET, File.join(ROOT, "tmp/installed"), File.join(path, "tmp")])
        # For what has folders of its own there (rake fuzz), and the gem that the app's specs install.
        FileUtils.ln_s(TARGET, File.join(path, "target"))
        FileUtils.ln_s(File.join(ROOT, "tmp/installed"), File.join(path, "tmp/installed"))
        # Git would tell of it: "target/" is a folder's name.
        File.write(File.join(path, ".git/info/exclude"), "/target\n/traces\n/input\n", mode: "a")
        make_input(path)
      end
    end

    # What the commands are given.
    def make_input(path)
      FileUtils.mkdir_p([File.join(path, "traces"), File.join(path, "input")])
      File.binwrite(File.join(path, "traces/web.u32.zst"), zstandard(Array.new(200) { |i| i % 32 }.pack("V*")))
      File.write(File.join(path, "input/entries.json"), '{"one": [1, 2], "two": "x"}')
      File.write(File.join(path, "input/entries.yaml"), "- {name: one}\n- {name: two}\n- ~\n")
    end

    # One frame of one block that is not compressed (RFC 8878).
    def zstandard(bytes)
      [0xFD2FB528, 0x60, bytes.bytesize - 256].pack("VCv") + [(bytes.bytesize << 3) | 1].pack("V")[0, 3] + bytes
    end
  end
end

# `rake docs:commands` runs these in their order: they share the clone.
RSpec.describe "In a fresh clone", order: :defined, limit: 1800 do
  # What bin/setup and the compiler take from the network is there before, or it is fetched.
  left_out = ENV["DOCS_COMMANDS"] == "short" ? DocumentedCommands::LONG : []
  DocumentedCommands::SHORT.except(*left_out).each do |name, short|
    it "#{name} does what the pages say, as #{short.line}" do
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      output, status = FreshClone.run(short.line)
      seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
      RSpec.configuration.reporter.message("  #{short.line}: #{seconds.round} s")
      expect(output).to match(short.prints)
      expect(status).to eq(short.status || 0), output.lines.last(60).join
    end
  end

  it "bin/demo reads a file that is named relative to the caller's folder" do
    %w[json yaml].zip([2, 3]) do |format, count|
      output, status = FreshClone.run("cd input && BENCH_QUICK=1 ../bin/demo entries.#{format}")
      expect(output).to match(/^#{count} entries of entries\.#{format}, /)
      expect(status).to eq(0)
    end
  end

  it "bin/demo says what is wrong with its arguments, before it builds" do
    { "input/missing.json" => "there is no file input/missing.json",
      "input" => "input is a folder, and a file is wanted",
      "one.json other.json" => "expected one file at most, got 2" }.each do |arguments, message|
      expect(FreshClone.run("bin/demo #{arguments}")).to eq(["bin/demo: #{message}\n", 1])
    end
    expect(FreshClone.run("bin/demo --help").first).to include("bin/demo FILE    reads the entries")
  end

  it "bin/demo says what is wrong with a file's content" do
    File.write(File.join(FreshClone.path, "input/empty.json"), "")
    output, status = FreshClone.run("bin/demo input/empty.json")
    expect(output.lines.last).to eq("demo: input/empty.json is empty\n")
    expect(status).to eq(1)
  end
end
