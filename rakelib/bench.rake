# frozen_string_literal: true

benches = {
  read_hit: "Measure how long a read that hits takes, beside other caches",
  write: "Measure how long a write takes, beside other caches",
  memory: "Measure how many bytes an entry takes beside its key and value",
  minor_gc: "Measure how long a minor GC pauses after an insert into a large cache",
  drop: "Measure how long the pause is when a large cache is dropped",
  validated_hit: "Measure how long a read takes that a server validates, beside one that transfers and decodes",
  value_size: "Measure whether a validated read costs the same however large the value is",
  threads: "Measure how many validated reads threads get from one store, and how many commands that takes",
  multi: "Measure how long a hundred validated reads take at once, beside one",
  interrupt: "Measure how soon a wait for a server that hangs ends when its thread is wanted elsewhere",
  rails: "Measure how long Rails.cache.read takes, beside Rails' own stores",
  rails_app: "Measure how many pages a Rails app serves that needs all its settings, by its cache store"
}

desc "Run all benches"
task bench: benches.keys.map { |name| "bench:#{name}" }

namespace :bench do
  benches.each do |name, sentence|
    desc sentence
    task name => :compile do
      ruby "bench/#{name}.rb", verbose: false
    end
  end

  desc "Measure the validated reads and write their chart into docs"
  task charts: :compile do
    ruby "bench/validated_hit.rb", "--chart", verbose: false
  end

  desc "Count the hits of the eviction policy beside other caches' (TRACES=folder for recorded traces)"
  task :simulate do
    sh "cargo", "run", "--release", "--quiet", "--manifest-path", "bench/simulate/Cargo.toml", "--",
       *ENV.fetch("TRACES", nil), "--chart", "docs/hit_ratios.svg"
  end

  desc "Run all benches and fail if one misses a bar"
  task check: :compile do
    failed = benches.keys.reject do |name|
      ruby("bench/#{name}.rb", "--check", verbose: false) { |passed, _status| passed }
    end
    abort "these benches missed a bar: #{failed.join(", ")}" unless failed.empty?
  end
end
