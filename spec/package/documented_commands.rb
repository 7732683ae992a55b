# frozen_string_literal: true

require_relative "../../bench/suite"

# What runs each command that a page names. A command that is not here fails
# documentation_spec: so nobody can add one that nothing runs.
module DocumentedCommands
  # What the shell is given in a fresh clone, what it has to print, and its exit status.
  Short = Struct.new(:line, :prints, :status)

  class << self
    private

    def short(line, prints = //, status: 0)
      Short.new(line, prints, status)
    end
  end

  # What `git status --short` prints where nothing was changed; other lines may be there.
  UNCHANGED = /\A(?!.*^(?: ?[MAD]|\?\?) )/m

  # By `rake docs:commands`, in a short form, in a fresh clone.
  SHORT = {
    "bin/setup" => short("bin/setup", /\A\z/), # says nothing where nothing is missing
    "bin/demo" => short("BENCH_QUICK=1 bin/demo",
                        /^(\d+) gem specifications .*^\1 loads .* gave the same object +([\d,]+) of \2$/m),
    "bin/console" => short("echo 'Ccache::Store.new.fetch(:key) { 41 + 1 }' | bin/console", /^(?:=> )?42$/),
    "rake -T" => short("rake -T", /^rake soak +# Do everything at once/),
    "rake build" => short("rake build && gem specification pkg/ccache-*.gem name", /^--- ccache$/),
    "rake package:list" => short("rake package:list && git status --short", UNCHANGED),
    "rake licenses" => short("rake licenses && git status --short", UNCHANGED),
    "rake release:check" => short("rm -rf pkg && rake release:check", /has no source gem$/, status: 1),
    "bundle config set force_ruby_platform true" =>
      short("export BUNDLE_APP_CONFIG=tmp/bundle; bundle config set --local force_ruby_platform true; bundle config",
            /^force_ruby_platform$/),
    "cargo update --workspace" => short("cargo update --workspace --offline && git status --short", UNCHANGED),
    "rake soak" => short("SOAK_MINUTES=0.1 rake soak", /^minute  RSS MiB .*^ +1 .*^drift of RSS: not judged/m),
    "rake consistency:long" => short("OPERATIONS=2000 rake consistency:long", /^in all +\d+ .* 0$/),
    "rake rails:load" => short("CHANGES=20 rake rails:load", /20 changes: .*^\d+ examples, 0 failures$/m),
    "rake rails:memory" => short("REQUESTS=500 GROWTH=2 rake rails:memory", /^1 example, 0 failures$/),
    "rake fuzz fuzz:keep" => short("FUZZ_SECONDS=1 rake fuzz fuzz:keep", /^stat::number_of_executed_units: [1-9]/),
    "rake bench" => short("BENCH_QUICK=1 rake bench && cat tmp/bench/quick/docs/benchmarks.md && git status --short",
                          /^# Benchmarks$(?!.*Not measured).*^### rails_app$(?!.*^ ?M )/m),
    "rake bench:check" => short("BENCH_QUICK=1 rake bench:check", /^\w+ +\d.* promised: at least 3   rails_app: /),
    "rake bench:simulate" => short("BENCH_QUICK=1 TRACES=traces rake bench:simulate",
                                   /^  Recorded traces .*^  web .*^  zipf/m)
  }.freeze

  # Of these, what takes minutes to build or to measure: not where DOCS_COMMANDS=short, as in
  # .ci/run. By hand: rake docs:commands.
  LONG = ["rake fuzz fuzz:keep", "rake bench", "rake bench:check", "rake bench:simulate"].freeze

  # By another one of those.
  PART_OF = {
    "rake fuzz:keep" => "rake fuzz fuzz:keep",
    "rake bench:page" => "rake bench",
    "rake spec:memory" => "bin/test --deep",
    "rake spec:stress" => "bin/test --deep",
    "rake spec:memcheck" => "bin/test --deep",
    "rake spec:servers" => "bin/test --deep",
    **Bench::NAMES.to_h { |name| ["rake bench:#{name}", "rake bench"] }
  }.freeze

  # By .ci/run itself: it, what it starts, and the tasks that follow from these.
  CI = [".ci/run", "bin/test", "bin/test --deep", "bin/matrix", "rake native", "rake compatibility", "rake core",
        "rake spec", "rake spec:railtie", "rake spec:native", "rake lint", "rake cargo:test", "rake cargo:loom",
        "rake doc", "rake asan", "rake fuzz", "rake coverage", "rake docs:commands"].freeze

  # By nothing, and why.
  NOT_RUN = {
    "rake release" => "pushes gems to RubyGems",
    "git tag v1.2.3 && git push origin v1.2.3" => "starts a release",
    "gem install ccache --platform ruby" => "takes the gem from RubyGems; spec:native installs the one that is built",
    "cargo install --locked cargo-deny" => "fetches and builds another program, for minutes",
    "rake lint:deny" => "needs cargo-deny; the workflow ci.yml has it",
    "rake lint:advisories" => "fetches RustSec's advisories; the workflow ci.yml does",
    "perf record -F 5000" => "a profiler of the kernel's version, that the figures came from",
    "perf report --sort dso" => "the same",
    "perf record --call-graph dwarf" => "the same",
    "strace -f -c" => "traces what is given to it; no part of the development packages"
  }.freeze

  # @return [Array<String>] all that something runs, or that is listed with a reason
  def self.known
    [*SHORT.keys, *PART_OF.keys, *CI, *NOT_RUN.keys]
  end
end
