# frozen_string_literal: true

require_relative "instrumented"

# Which lines of the Rust are run: by the core's own tests, and, of the binding, by the
# specs that are about it. The compiler counts; LLVM's tools read what it counted.
module RustCoverage
  RUST = Instrumented.new("coverage", "-Cinstrument-coverage")
  FOLDER = RUST.folder
  # Not the tests' own lines.
  TESTS = %r{/tests?/|/tests\.rs|_test\.rs|/model/|/model\.rs|/testing\.rs|/validate\.rs}

  class << self
    # @return [Hash{String => Hash{Integer => Integer}}] per file how often each line was run
    def lines
      FileUtils.rm_rf(File.join(FOLDER, "profiles"))
      objects = [*RUST.test_core(profile_to("core")), RUST.run_specs(profile_to("specs"))]
      profile = File.join(FOLDER, "merged.profdata")
      sh(tool("llvm-profdata"), "merge", "-sparse", *Dir[File.join(FOLDER, "profiles/*.profraw")], "-o", profile)
      parse(export(objects, profile))
    end

    private

    include Rake::FileUtilsExt

    def profile_to(name)
      { "LLVM_PROFILE_FILE" => File.join(FOLDER, "profiles/#{name}-%p-%m.profraw") }
    end

    def export(objects, profile)
      others = objects.drop(1).flat_map { |object| ["--object", object] }
      IO.popen([tool("llvm-cov"), "export", "--format=lcov", "--instr-profile", profile, objects.first, *others],
               &:readlines)
    end

    def parse(lcov)
      counts = Hash.new { |files, file| files[file] = Hash.new(0) }
      file = nil
      lcov.each do |line|
        case line
        when /\ASF:(.+)/ then file = own(Regexp.last_match(1))
        when /\ADA:(\d+),(\d+)/ then counts[file][Regexp.last_match(1).to_i] += Regexp.last_match(2).to_i if file
        end
      end
      counts
    end

    # The file's name in the project, or nil for another's.
    def own(path)
      name = path.delete_prefix("#{Dir.pwd}/")
      name if name.start_with?("ext/") && !name.match?(TESTS)
    end

    # LLVM's own tools read what the compiler's LLVM, or an older one, has written.
    def tool(name)
      needed = `rustc -vV`[/^LLVM version: (\d+)/, 1].to_i
      paths = [*Dir[File.join(`rustc --print sysroot`.chomp, "lib/rustlib/*/bin")], *ENV["PATH"].split(":")]
      paths.product(["#{name}-#{needed}", name]).map { |path| File.join(*path) }.find do |program|
        File.executable?(program) && `#{program} --version 2>&1`[/version (\d+)/, 1].to_i >= needed
      end or abort "#{name} of LLVM #{needed} is missing: run bin/setup, or rustup component add llvm-tools"
    end
  end
end

# Which lines of the Ruby were run, as SimpleCov, which spec/coverage.rb starts, wrote it down.
module RubyCoverage
  # @return [Hash{String => Hash{Integer => Integer}}] as of RustCoverage
  def self.lines
    require "simplecov"
    SimpleCov::ResultMerger.merged_result.files.to_h do |file|
      lines = file.lines.reject(&:never?)
      [file.project_filename.delete_prefix("/"), lines.to_h { |line| [line.number, line.coverage || 0] }]
    end
  end
end

# How much is covered, and which lines are not.
module CoverageReport
  def self.print(language, files)
    covered, all = files.values.map { |lines| [lines.values.count(&:positive?), lines.size] }.transpose.map(&:sum)
    puts "#{language}: #{percent(covered, all)} of #{all} lines are run by the tests. Not run:"
    files.sort.each do |file, lines|
      missed = lines.reject { |_, count| count.positive? }.keys.sort
      next if missed.empty?

      puts "  #{percent(lines.size - missed.size, lines.size)}  #{file}: #{ranges(missed)}"
    end
  end

  def self.percent(part, whole)
    format("%<percent>5.1f %%", percent: 100.0 * part / whole)
  end

  # [1, 2, 3, 7] as "1-3, 7"
  def self.ranges(numbers)
    runs = numbers.slice_when { |before, after| after > before + 1 }
    runs.map { |run| run.size > 1 ? "#{run.first}-#{run.last}" : run.first }.join(", ")
  end
end
