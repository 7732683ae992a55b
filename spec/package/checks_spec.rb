# frozen_string_literal: true

require "open3"
require "tmpdir"
require_relative "../../rakelib/support/specs"

# What bin/test runs, and how it says what came of it.
#
# To see red: in rakelib/support/side_by_side.rb let `conclude` abort nothing, or start all
# commands at once; in specs.rb take a folder out of GROUPS' pattern.
RSpec.describe "bin/test" do
  root = File.expand_path("../..", __dir__)

  # Runs programs of Ruby side by side: what that printed, and whether it succeeded.
  def side_by_side(*programs, at_once: programs.size)
    root = File.expand_path("../..", __dir__)
    commands = programs.map { |program| [RbConfig.ruby, "-e", program] }
    code = "SideBySide.run(*#{commands.inspect}, at_once: #{at_once}) { puts 'all have ended' }"
    output, status = Open3.capture2e(RbConfig.ruby, "-r./rakelib/support/side_by_side", "-e", code, chdir: root)
    [output, status.success?]
  end

  it "keeps together what each of its commands prints, and repeats the runners' summaries at the end" do
    programs = { "a" => "3 examples, 0 failures", "b" => "test result: ok. 7 passed" }.map do |name, summary|
      "$stdout.sync = true; puts '#{name} begins', '#{summary}'; sleep 0.2; puts '#{name} ends'"
    end
    output, success = side_by_side(*programs)
    expect(success).to be(true)
    expect(output).to match(/^a begins\n3 examples, 0 failures\na ends$/)
    expect(output).to match(/^b begins\ntest result: ok. 7 passed\nb ends$/)
    summaries = output[/^all have ended\n\nSummaries:\n(.*)/m, 1]
    expect(summaries.lines.grep(/^ /).map(&:strip))
      .to contain_exactly("3 examples, 0 failures", "test result: ok. 7 passed")
  end

  it "fails if one of them does, after the others have ended, and says which" do
    output, success = side_by_side("puts '5 examples, 1 failure'; exit 1", "sleep 0.2; puts 'the other'")
    expect(success).to be(false)
    expect(output).to include("the other", "all have ended", "  5 examples, 1 failure\n")
    expect(output).to match(/\nfailed:\n  \S+ -e puts '5 examples[^\n]*\n\z/)
  end

  it "fails if one of them is killed" do
    output, success = side_by_side("Process.kill(:KILL, $$)", "puts 'the other'")
    expect([output, success]).to match([include("failed:\n", "the other"), false])
  end

  it "runs no more of them at a time than it should" do
    Dir.mktmpdir do |directory|
      program = <<~RUBY
        running = Dir.chdir(#{directory.inspect}) do
          File.write($$.to_s, "")
          sleep 0.3
          Dir.children(".").size.tap { File.delete($$.to_s) }
        end
        puts "running: \#{running}"
      RUBY
      output, = side_by_side(*[program] * 5, at_once: 2)
      expect(output.scan(/^running: (\d+)$/).flatten.map(&:to_i)).to all(be <= 2).and(have_attributes(size: 5))
    end
  end

  it "has each file of specs in one group, but for the platform gem's" do
    code = <<~RUBY
      $0 = "rspec" # which looks into spec/ by default
      RSpec::Core::ConfigurationOptions.new(ARGV).configure(RSpec.configuration)
      puts RSpec.configuration.files_to_run.map { |file| File.expand_path(file) }
    RUBY
    runs = Specs.groups.map do |command|
      files = command.drop(command.index("rspec") + 1)
      output, status = Open3.capture2e(RbConfig.ruby, "-Ispec", "-rrspec/core", "-e", code, "--", *files, chdir: root)
      expect(status).to be_success, output
      output.lines(chomp: true).grep(/_spec\.rb\z/)
    end
    all = Dir[File.join(root, "spec/**/*_spec.rb")] - Dir[File.join(root, Specs::NATIVE)]
    expect(runs.flatten.sort).to eq(all.sort)
    expect(runs.size).to be > 2
  end

  it "names the slowest examples of all groups" do
    Dir.mktmpdir do |directory|
      example = lambda do |seconds|
        { run_time: seconds, file_path: "./a.rb", line_number: 1, full_description: "in #{seconds}" }
      end
      File.write(File.join(directory, "one.json"), JSON.dump(examples: (1..9).map(&example)))
      File.write(File.join(directory, "two.json"), JSON.dump(examples: (10..12).map(&example)))
      File.write(File.join(directory, "killed.json"), "")
      expect { Specs.print_slowest(directory) }
        .to output(/slowest.*:\n +12\.0 s  a\.rb:1  in 12\n.* 3\.0 s [^\n]*\n\z/m).to_stdout
    end
  end

  it "tells who asks for anything else what there is" do
    output, status = Open3.capture2e("bin/test", "--quick", chdir: root)
    expect([output, status.exitstatus]).to match([include("bin/test --deep"), 1])
  end

  it "is run by CI with all that there is, and its summaries come last" do
    script = File.read(File.join(root, ".ci/run"))
    expect(script).to match(%r{^bin/test --deep .*^matrix .*^rake spec:native .*summary}m)
  end
end
