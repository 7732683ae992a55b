# frozen_string_literal: true

require "fileutils"
require "json"
require_relative "bar"
require_relative "quick"

module Bench
  # What a bench has measured, kept until the page is written: a file for each bench,
  # so that one which is run alone replaces its own figures and no other's.
  #
  # A block of it is a table, some bars or a chart, in the order they were reported.
  class Results
    FOLDER = File.expand_path(Bench.scaled("../../tmp/bench", quick: "../../tmp/bench/quick"), __dir__)

    class << self
      # @return [Results, nil] nil if that bench has not run, or failed
      def of(name)
        new(name, JSON.parse(File.read(path(name))))
      rescue Errno::ENOENT
        nil
      end

      # A run begins by this, so that a bench that fails leaves nothing behind.
      def forget(name)
        FileUtils.mkdir_p(FOLDER)
        FileUtils.rm_f(path(name))
      end

      def write(name, **results)
        File.write(path(name), JSON.pretty_generate(results))
      end

      # Where a chart stands until the page takes it.
      def chart(file)
        File.join(FOLDER, file)
      end

      private

      def path(name)
        File.join(FOLDER, "#{name}.json")
      end
    end

    attr_reader :name

    def initialize(name, results)
      @name = name
      @results = results
    end

    def [](key)
      @results.fetch(key.to_s)
    end

    # @return [Array<Array<Array<String>>>] the first row of each is its heading
    def tables
      self[:blocks].filter_map { |block| block["table"] }
    end

    # @return [Array<String>] the files' names
    def charts
      self[:blocks].filter_map { |block| block["chart"] }
    end

    # @return [Hash{String => Bar}] by the name that the README calls it: what the bars of
    #   its block have in common, and what it is itself
    def bars_by_name
      self[:blocks].select { |block| block["bars"] }.flat_map do |block|
        bars_of(block).map { |bar| [[block["heading"], bar.what].compact.join(": "), bar] }
      end.to_h
    end

    # @return [Array<Bar>]
    def bars_of(block)
      block["bars"].map { |bar| Bar.new(**bar.transform_keys(&:to_sym)) }
    end
  end
end
