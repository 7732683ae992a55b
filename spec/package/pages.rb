# frozen_string_literal: true

# The pages that people read, and what they have in code: fenced blocks, and commands that
# a reader may type.
module Pages
  ROOT = File.expand_path("../..", __dir__)
  FILES = Dir["README.md", "CHANGELOG.md", "docs/*.md", base: ROOT].sort.freeze
  PROGRAMS = %w[rake bin/\w+ \.ci/run cargo git gem bundle rspec ruby irb perf strace].freeze
  # With the variables before it. (`gem "name"` is Ruby, for a Gemfile.)
  COMMAND = /\A(?:[A-Z_]+=\S+ )*(?:#{PROGRAMS.join("|")})(?![\w:-])(?! ")/

  Block = Struct.new(:page, :line, :language, :text) do
    def place
      "#{page}:#{line}"
    end
  end

  class << self
    def read(page)
      File.read(File.join(ROOT, page))
    end

    # @return [Array<Block>]
    def blocks
      FILES.flat_map do |page|
        text = read(page)
        text.to_enum(:scan, /^```(\S*)\n(.*?)^```$/m).map do
          match = Regexp.last_match
          Block.new(page, match.pre_match.count("\n") + 1, match[1], match[2])
        end
      end
    end

    # @return [Hash{String => String}] what the API's documentation shows as an example, by place
    def api_examples
      Dir["lib/**/*.rb", base: ROOT].sort.flat_map do |file|
        text = read(file)
        text.to_enum(:scan, /^ *# @example.*\n((?: *#   .*\n| *# *\n(?= *#   ))+)/).map do
          match = Regexp.last_match
          ["#{file}:#{match.pre_match.count("\n") + 1}", match[1].gsub(/^ *#(?:   )?/, "")]
        end
      end.to_h
    end

    # @return [Array<String>] each command once, without the variables before it
    def commands
      (shell_lines + spans.grep(COMMAND))
        .map { |command| command.gsub(/\b[A-Z_]+=\S+ /, "").strip }.uniq
    end

    # @return [Array<String>] what stands between backticks in running text
    def spans
      FILES.flat_map do |page|
        read(page).gsub(/^```.*?^```$/m, "").scan(/`([^`]+)`/).flatten.map { |span| span.gsub(/\s+/, " ") }
      end.uniq
    end

    private

    def shell_lines
      blocks.select { |block| block.language == "sh" }.flat_map { |block| block.text.lines }
            .map { |line| line.sub(/ +# .*/, "").strip }.reject(&:empty?)
    end
  end
end
