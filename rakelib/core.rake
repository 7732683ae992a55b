# frozen_string_literal: true

# What can be run with a Ruby that the distribution packages no native gems for:
# gemfiles/core.gemfile has the others.
desc "Run the Rust tests and the specs, also under GC stress, but nothing that needs a gem with native code"
task :core do
  ENV["SPEC_OPTS"] = "--tag ~msgpack"
  %w[cargo:test spec:stress spec spec:servers].each { |name| Rake::Task[name].invoke }
end
