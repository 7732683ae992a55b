# frozen_string_literal: true

require "open3"

# What bin/matrix says of rows that do not run; those that do are what it is for.
RSpec.describe "bin/matrix" do
  root = File.expand_path("../..", __dir__)

  define_method(:matrix) do |*arguments|
    outcome, status = Open3.capture2e("bin/matrix", *arguments, chdir: root)
    [outcome, status.exitstatus]
  end

  it "names each row that is skipped, and why" do
    outcome, status = matrix("native", "--skip", "native", "it ran before")
    expect(outcome).to match(/^native +skipped.*\n  because: it ran before\npassed: 0, skipped: 1$/)
    expect(status).to eq(0)
  end

  it "skips no row without a reason" do
    outcome, status = matrix("native", "--skip", "native")
    expect(outcome).to start_with("matrix: a row is skipped for a reason: --skip NAME REASON")
    expect(status).to eq(1)
  end

  it "knows no row that is not there, and no other option" do
    expect(matrix("debian-31")).to match([start_with("matrix: there is no row debian-31"), 1])
    expect(matrix("--skip", "debian-31", "too old")).to match([start_with("matrix: there is no row debian-31"), 1])
    expect(matrix("--rows")).to match([start_with("Runs bin/test with other Rubies"), 1])
  end
end
