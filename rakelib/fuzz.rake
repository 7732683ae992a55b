# frozen_string_literal: true

require_relative "support/instrumented"
require_relative "support/side_by_side"

# What `cargo fuzz` does, without it: the flags that make libFuzzer see branches and
# comparisons, which a stable compiler takes when it is told to, and one run per target.
module Fuzz
  TARGETS = %w[operations stored written].freeze
  FOLDER = "fuzz"
  COVERAGE = %w[level=4 inline-8bit-counters pc-table trace-compares]
             .map { |option| "-Cllvm-args=-sanitizer-coverage-#{option}" }.freeze
  FLAGS = ["--cfg fuzzing", "-Zsanitizer=address", "-Cpasses=sancov-module", *COVERAGE].join(" ").freeze
  # Longer inputs say nothing that shorter ones do not.
  LONGEST = 1024

  class << self
    def build
      sh({ "RUSTC_BOOTSTRAP" => "1", "RUSTFLAGS" => FLAGS, "CARGO_TARGET_DIR" => "target/fuzz" },
         "cargo", "build", "--release", "--quiet", "--manifest-path", "#{FOLDER}/Cargo.toml",
         "--target", Instrumented.host)
    end

    # New inputs go into a folder of this run's own, crashes into fuzz/artifacts.
    #
    # @return [Array<String>] the command
    def command(target, seconds)
      found = "target/fuzz/found/#{target}"
      artifacts = "#{FOLDER}/artifacts/#{target}/"
      mkdir_p [found, artifacts], verbose: false
      [program(target), found, corpus(target), "-max_total_time=#{seconds}", "-max_len=#{LONGEST}",
       "-artifact_prefix=#{artifacts}", "-timeout=60", "-print_final_stats=1", "-verbosity=0"]
    end

    # The documented strings are the first that are tried.
    def seed
      found = "target/fuzz/found/stored"
      mkdir_p found, verbose: false
      File.read("docs/protocol.md").scan(/^wire: (.+(?:\n .+)*)/).each.with_index(1) do |(digits), number|
        File.binwrite("#{found}/vector-#{number}", [digits.delete(" \n")].pack("H*"))
      end
    end

    # The fewest and shortest inputs that reach what all of them reach.
    def keep(target)
      kept = "target/fuzz/kept/#{target}"
      rm_rf kept, verbose: false
      mkdir_p kept, verbose: false
      sh(program(target), "-set_cover_merge=1", "-use_counters=0", "-max_len=#{LONGEST}", "-verbosity=0", kept,
         corpus(target), "target/fuzz/found/#{target}")
      rm_rf corpus(target), verbose: false
      cp_r kept, corpus(target), verbose: false
    end

    private

    def program(target)
      "target/fuzz/#{Instrumented.host}/release/#{target}"
    end

    def corpus(target)
      "#{FOLDER}/corpus/#{target}"
    end

    include Rake::FileUtilsExt
  end
end

desc "Feed inputs that nobody thought of to the cache and the wire format, FUZZ_SECONDS (60 by default) each"
task fuzz: "fuzz:build" do
  Fuzz.seed
  seconds = Integer(ENV.fetch("FUZZ_SECONDS", "60"))
  SideBySide.run(*Fuzz::TARGETS.map { |target| Fuzz.command(target, seconds) })
end

namespace :fuzz do
  task(:build) { Fuzz.build }

  desc "Take what earlier runs found into fuzz/corpus, as few and as short inputs as reach the same"
  task keep: :build do
    Fuzz::TARGETS.each { |target| Fuzz.keep(target) }
  end
end
