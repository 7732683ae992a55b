# frozen_string_literal: true

desc "Build the API documentation into doc/, and fail for anything public without words"
task doc: %i[doc:ruby doc:rust]

namespace :doc do
  desc "Build the Ruby API documentation with YARD"
  task :ruby do
    output = `yard doc --fail-on-warning 2>&1`
    abort output unless $CHILD_STATUS.success?
    undocumented = `yard stats --list-undoc --no-save 2>&1`
    puts undocumented
    abort "public API without documentation" unless undocumented.include?("100.00% documented")
  end

  desc "Build the Rust documentation, warnings as errors"
  task :rust do
    sh({ "RUSTDOCFLAGS" => "-D warnings" },
       "cargo", "doc", "--workspace", "--no-deps", "--document-private-items", "--quiet")
  end
end
