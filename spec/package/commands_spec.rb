# frozen_string_literal: true

require "open3"
require "yaml"

# Commands that the docs and the workflows name are there.
RSpec.describe "Commands" do
  root = File.expand_path("../..", __dir__)
  words = /\brake((?: +[a-z][a-z_]*(?::[a-z_]+)*)+)/
  pages = Dir["README.md", "docs/*.md", ".ci/run", base: root]
  workflows = Dir[".github/workflows/*.yml", base: root]

  # `rake` is also a word, as in "the rake tasks".
  prose = %w[task tasks]

  before(:context) do
    listed, status = Open3.capture2("rake", "-P", chdir: root)
    raise "rake -P failed" unless status.success?

    @tasks = listed.scan(/^rake (\S+)/).flatten
  end

  def expect_tasks(names)
    expect(names).not_to be_empty
    expect(names - @tasks).to be_empty
  end

  # The commands of a workflow's steps, with each value of the job's matrix.
  def commands(job)
    values = job.dig("strategy", "matrix") || {}
    job.fetch("steps", []).filter_map { |step| step["run"] }.flat_map do |command|
      key = command[/\$\{\{ matrix\.(\w+) \}\}/, 1]
      key ? values.fetch(key).map { |value| command.sub(/\$\{\{.*?\}\}/, value) } : [command]
    end
  end

  it "are tasks of rake wherever a page names one in code" do
    code = pages.flat_map { |page| File.read(File.join(root, page)).scan(/^```.*?^```|`[^`]+`|^rake [^\n]*/m) }
    expect_tasks(code.flat_map { |text| text.scan(words) }.flatten.flat_map(&:split).uniq - prose)
  end

  workflows.each do |file|
    it "are tasks of rake and rows of bin/matrix in #{file}" do
      jobs = YAML.safe_load_file(File.join(root, file), aliases: true).fetch("jobs").values
      all = jobs.flat_map { |job| commands(job) }
      expect_tasks(all.flat_map { |command| command.scan(words) }.flatten.flat_map(&:split).uniq)
      rows = all.flat_map { |command| command.scan(%r{bin/matrix (\S+)}) }.flatten
      expect(rows - File.read(File.join(root, "bin/matrix"))[/^names=\((.*)\)/, 1].split).to be_empty
    end

    it "use actions at a version in #{file}" do
      uses = File.read(File.join(root, file)).scan(/uses: (.+)$/).flatten
      expect(uses).to all(match(%r{\A\./|@v?\d}))
    end
  end
end
