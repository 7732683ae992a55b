# frozen_string_literal: true

desc "Check style and lints of Ruby and Rust"
task lint: %i[lint:ruby lint:rust lint:licenses]

namespace :lint do
  desc "Check the Ruby with RuboCop"
  task :ruby do
    sh "rubocop"
  end

  desc "Check the Rust with rustfmt and clippy, warnings as errors"
  task :rust do
    sh "cargo", "fmt", "--all", "--check"
    sh "cargo", "clippy", "--workspace", "--all-targets", "--all-features", "--quiet", "--", "-D", "warnings"
  end
end
