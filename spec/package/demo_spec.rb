# frozen_string_literal: true

require "open3"
require "tmpdir"

# What bench/demo.rb prints, which bin/demo runs once the gem is built; with small counts.
RSpec.describe "The demo", limit: 120 do
  root = File.expand_path("../..", __dir__)

  around { |example| Dir.mktmpdir { |folder| Dir.chdir(folder) { example.run } } }

  define_method(:demo) do |*arguments|
    output, status = Open3.capture2e({ "BENCH_QUICK" => "1" }, RbConfig.ruby, "-W1", File.join(root, "bench/demo.rb"),
                                     *arguments)
    [output, status.exitstatus]
  end

  def expect_refusal(message, *arguments)
    expect(demo(*arguments)).to match([message, 1])
  end

  # What holds whatever was read: all objects of the store stayed the same.
  def expect_run(output, count, what)
    expect(output).to match(/^#{count} #{what}, [\d,]+ bytes as Marshal$/)
    same = "fetched again, #{count} were the same objects, without a load"
    expect(output).to match(/^#{count} loads in [\d,]+ ms; #{same}$/)
    expect(output).to match(/^  Ccache::Store#get .* 1\.0 +#{count} of #{count}$/)
    expect(output).to match(/^  reads of the store that gave the same object +([\d,]+) of \1$/)
    expect(output).to match(/^  contents unchanged afterwards +#{count} of #{count}$/)
    expect(output).to match(/^  Hash +[\d.]+ +[\d.]+$/)
  end

  it "reads the specifications of the gems of this machine" do
    output, status = demo
    expect(status).to eq(0), output
    expect_run(output, output[/^(\d+) gem/, 1], "gem specifications of this machine")
  end

  it "reads an object of JSON, given relative to the caller's folder" do
    File.write("entries.json", '{"one": {"a": 1}, "two": [1, null, "x"]}')
    output, status = demo("entries.json")
    expect(status).to eq(0), output
    expect_run(output, 2, "entries of entries.json")
  end

  it "reads a list of YAML, with what YAML has and JSON has not" do
    File.write("entries.yml", "- &day 2024-02-29\n- {name: x, days: [*day, *day]}\n- :symbol\n- ~\n")
    output, status = demo("entries.yml")
    expect(status).to eq(0), output
    expect_run(output, 4, "entries of entries.yml")
  end

  it "does without Active Support" do
    File.write("entries.json", "[[1]]")
    Dir.mkdir("without")
    File.write("without/active_support.rb", "raise LoadError, 'as if it were not installed'")
    output, status = Open3.capture2e({ "BENCH_QUICK" => "1" }, RbConfig.ruby, "-I", "without",
                                     File.join(Processes::LIBRARY, "../bench/demo.rb"), "entries.json")
    expect(status.exitstatus).to eq(0), output
    expect(output).to include("  MemoryStore: ActiveSupport is not installed\n")
  end

  it "says what is wrong with a file that it cannot use" do
    { "empty.json" => "", "cut.json" => '{"a": 1', "cut.yml" => "a: [1", "five.json" => "5", "none.yaml" => "{}",
      "utf16.json" => "\xFF\xFEa", "object.yml" => "a: !ruby/object:Object {}" }
      .each { |name, content| File.binwrite(name, content) }
    expect_refusal("demo: empty.json is empty\n", "empty.json")
    expect_refusal(/\Ademo: cut.json is not valid JSON: [^\n]*\n\z/, "cut.json")
    expect_refusal(start_with("demo: cut.yml is not valid YAML: "), "cut.yml")
    expect_refusal("demo: five.json must hold an object or a list, not Integer\n", "five.json")
    expect_refusal("demo: none.yaml has no entries\n", "none.yaml")
    expect_refusal("demo: utf16.json is not text in UTF-8\n", "utf16.json")
    expect_refusal("demo: object.yml is not valid YAML: Tried to load unspecified class: Object\n", "object.yml")
  end

  it "says why it cannot read a file" do
    expect_refusal("demo: cannot read missing.json: No such file or directory\n", "missing.json")
    expect_refusal("demo: cannot read .: Is a directory\n", ".")
    expect_refusal("demo: expected one file at most, got 2\n", "one.json", "other.json")
  end
end
