# frozen_string_literal: true

require_relative "crates"

# The licences of what is linked into the extension, each text once.
class Licenses
  # Of several to choose from, the first of these that there is, and the name of its file.
  CHOICES = { "MIT" => /MIT\z/i, "MIT-0" => /MIT0/i, "ISC" => /ISC/i, "BSL-1.0" => /BOOST/i, "CC0-1.0" => /CC0/i,
              "Apache-2.0" => /APACHE/i }.freeze
  RULE = "-" * 80
  # (zstd's own is with its sources.)
  FILES = %w[LICEN* COPYRIGHT* NOTICE* zstd/LICEN*].freeze

  def initialize(crates)
    @linked = crates.select(&:linked)
  end

  def to_s
    sections = texts.map { |text, crates| [RULE, *crates.map { |crate| title(crate) }, RULE, "", text, ""].join("\n") }
    [preface, *sections].join("\n")
  end

  private

  def preface
    <<~TEXT
      The native extension of ccache is made of the following, under these licences.
      Made by `rake licenses` from Cargo.lock.

      The Rust standard library is linked, too: Copyright (c) The Rust Project Contributors,
      under the MIT license (or Apache-2.0), whose text is that of LICENSE.txt. What is inside
      of it is listed by the file COPYRIGHT-library.html that comes with Rust.
    TEXT
  end

  # { text => the crates that come with it }
  def texts
    pairs = @linked.flat_map { |crate| files(crate).map { |file| [text(file), crate] } }
    same = pairs.group_by { |text, _crate| text.gsub(/\s+/, " ") }.values
    same.to_h { |group| [group.first.first, group.map(&:last).uniq] }
  end

  def text(file)
    File.read(file, encoding: "UTF-8").gsub("\r\n", "\n").gsub(/[ \t]+$/, "").strip
  end

  def title(crate)
    "#{crate.name} #{crate.version} (#{crate.license})"
  end

  def files(crate)
    names = Dir.glob(FILES, File::FNM_CASEFOLD, base: crate.directory)
    raise "no licence found in #{crate.directory}" if names.empty?

    (chosen(crate.license, names) || names).map { |name| File.join(crate.directory, name) }
  end

  # Where all of the licences hold, or the file has no telling name, all files are taken.
  def chosen(expression, names)
    return if expression.include?("AND")

    offered = expression.split(%r{ OR |/})
    _, pattern = CHOICES.find { |license, file| offered.include?(license) && names.grep(file).any? }
    names.grep(pattern) + names.grep(/copyright|notice/i) if pattern
  end
end
