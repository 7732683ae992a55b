# frozen_string_literal: true

namespace :cargo do
  desc "Run the Rust tests: units, properties against a model, and what must not compile"
  task :test do
    sh "cargo", "test", "--workspace", "--quiet"
  end

  desc "Check the lock-free parts in every interleaving with loom's model checker"
  task :loom do
    sh({ "RUSTFLAGS" => "--cfg loom", "CARGO_TARGET_DIR" => "target/loom" },
       "cargo", "test", "--package", "ccache_core", "--release", "--quiet")
  end
end
