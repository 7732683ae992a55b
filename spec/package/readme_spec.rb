# frozen_string_literal: true

require_relative "pages"

# The examples of the README, and of any other page, do what their comments say.
RSpec.describe "The README" do
  blocks = Pages.blocks.select { |block| block.language == "ruby" && block.text.include?("# => ") }
  examples = blocks.map(&:text)

  # Lines with a `# => result` are printed; "…" in a result stands for anything.
  def printing(example)
    example.lines.map { |line| line.include?("# => ") ? "p((#{line.sub(/#.*/, "").strip}))\n" : line }.join
  end

  examples.each_with_index do |example, index|
    promised = example.lines.grep(/# => /)

    it "shows what really comes out, in example #{index + 1}" do
      outcome = run_ruby(printing(example).gsub("redis://localhost:6379/0", Servers.shared.url(7)))
      expect(outcome).to succeed
      promised.zip(outcome.output.lines) do |line, output|
        output = output.gsub(/:(\w+)=>/, '\1: ') # as Ruby 3.4 shows a Hash
        pattern = Regexp.escape(line[/# => (.*)$/, 1]).gsub("…", ".*")
        expect(output.delete("\\")).to match(/\A"?#{pattern}"?\n\z/)
      end
    end

    it "promises something in example #{index + 1}" do
      expect(promised.size).to be >= 3
      expect(example.lines.size).to be_between(8, 30)
    end
  end

  it "has an example with a server, and one without" do
    of_readme = blocks.select { |block| block.page == "README.md" }
    expect(of_readme.map { |block| block.text.include?("redis://") }).to eq([false, true])
  end

  it "is read in a few minutes" do
    expect(Pages.read("README.md").lines.size).to be <= 150
  end

  it "names only files that are there" do
    root = File.expand_path("../..", __dir__)
    links = Dir[File.join(root, "{README.md,docs/*.md}")].flat_map do |page|
      File.read(page).scan(/\]\(([^)#:]+)\)/).flatten.map { |link| File.expand_path(link, File.dirname(page)) }
    end
    expect(links.size).to be > 20
    expect(links).to all(satisfy { |link| File.exist?(link) })
  end
end
