# frozen_string_literal: true

RSpec.describe "Dependencies" do
  root = File.expand_path("../..", __dir__)
  table = File.read(File.join(root, "docs/decisions.md"))[/^## Dependencies\n.*?(?=^The minimum)/m]
  names = table.scan(/^\| (.+?) \|/).flat_map { |(cell)| cell.scan(/[a-z][\w-]*\w/) }

  it "have a reason in docs/decisions.md, each crate" do
    sections = Dir[File.join(root, "{ext/*,fuzz,bench/simulate}/Cargo.toml")].flat_map do |file|
      File.read(file).scan(/^\[[^\n]*dependencies\]\n(.*?)(?=^\[|\z)/m)
    end
    crates = sections.flatten.flat_map { |section| section.scan(/^([\w-]+) = /) }.flatten.uniq - ["ccache_core"]
    expect(crates).to include("magnus", "dashmap", "proptest")
    expect(crates - names).to be_empty
  end

  it "have a reason in docs/decisions.md, each gem" do
    files = [*Dir[File.join(root, "{Gemfile,gemfiles/*.gemfile}")], File.join(root, "ccache.gemspec")]
    gems = files.flat_map { |file| File.read(file).scan(/^\s*(?:gem|spec\.add_dependency) "([^"]+)"/) }.flatten.uniq
    expect(gems).to include("rb_sys", "rspec")
    expect(gems - names).to be_empty
  end
end
