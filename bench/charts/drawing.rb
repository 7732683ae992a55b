# frozen_string_literal: true

require_relative "axis"

module Bench
  module Charts
    # What the charts share: colours that are readable in light and dark, marks that are
    # told apart without colours, a title, and the line that says where it was measured.
    class Drawing
      # Without variables, which not every program that shows an SVG knows.
      SHAPES = <<~CSS
        text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
        .title { font-size: 16px; font-weight: 600; }
        .panel, .ours { font-weight: 600; }
        .tick, .about { font-size: 12px; }
        .line, .axis, .grid { fill: none; }
        .line { stroke-width: 2.25; stroke-linejoin: round; }
        .dot { stroke-width: 1.5; }
      CSS
      LIGHT = { ground: "#ffffff", ink: "#1f2328", soft: "#59636e", grid: "#e4e7ea", axis: "#8b949e",
                a: "#0b62c4", b: "#b3412c", c: "#59636e", d: "#7a4fb0", e: "#8a6a00" }.freeze
      DARK = { ground: "#0d1117", ink: "#e6edf3", soft: "#9da7b1", grid: "#262c34", axis: "#6e7681",
               a: "#6cb2ff", b: "#ff8a70", c: "#9da7b1", d: "#c3a3f5", e: "#d9b44a" }.freeze
      # One for each line, ours first: its class, its dashes, its mark.
      STYLES = [["a", nil, "m-4.5 -4.5h9v9h-9z"], ["b", nil, "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"],
                ["c", "5 4", "m0 -5l5 5l-5 5l-5 -5z"], ["d", "9 4", "m0 -5.5l5.5 10h-11z"],
                ["e", "2 3", "m0 5.5l5.5 -10h-11z"]].freeze
      LEFT = 78
      RIGHT = 28
      LINE = 17

      # @param about [Array<String>] lines below the title
      def initialize(title:, about:)
        @title = title
        @about = [*about, Environment.line]
      end

      # @return [String]
      def svg
        <<~SVG
          <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{width} #{height}" width="#{width}" height="#{height}" role="img" aria-label="#{escape(@title)}">
          <style>
          #{SHAPES}#{colours(LIGHT)}@media (prefers-color-scheme: dark) {
          #{colours(DARK)}}
          </style>
          <rect class="ground" width="100%" height="100%"/>
          #{text(16, 28, @title, "title")}
          #{@about.each_with_index.map { |line, i| text(16, 48 + (i * LINE), line, "about") }.join("\n")}
          #{body}
          </svg>
        SVG
      end

      private

      # Where the title and the lines below it end.
      def head
        48 + (@about.size * LINE)
      end

      def colours(palette)
        lines = ["text { fill: #{palette[:ink]}; } .tick, .about { fill: #{palette[:soft]}; }",
                 ".ground { fill: #{palette[:ground]}; } .grid { stroke: #{palette[:grid]}; }",
                 ".axis { stroke: #{palette[:axis]}; } .dot { stroke: #{palette[:ground]}; }"]
        STYLES.each do |name, *|
          lines << ".line.#{name} { stroke: #{palette[name.to_sym]}; } .dot.#{name} { fill: #{palette[name.to_sym]}; }"
        end
        "#{lines.join("\n")}\n"
      end

      def stroke(index, path)
        name, dashes, = STYLES.fetch(index)
        %(<path class="line #{name}"#{dashes && %( stroke-dasharray="#{dashes}")} d="#{path}"/>)
      end

      def mark(index, across, up)
        name, _, shape = STYLES.fetch(index)
        %(<path class="dot #{name}" d="M#{across} #{up}#{shape}"/>)
      end

      def grid(path)
        %(<path class="grid" d="#{path}"/>)
      end

      def number(figure)
        return figure.to_s if figure.abs < 10 && !figure.is_a?(Integer)

        Bench.count(figure)
      end

      def text(across, up, words, name = nil, anchor = nil, transform = nil)
        attributes = { x: across, y: up, class: name, "text-anchor": anchor, transform: transform }.compact
        "<text#{attributes.map { |attribute, value| %( #{attribute}="#{value}") }.join}>#{escape(words)}</text>"
      end

      def escape(words)
        words.gsub("&", "&amp;").gsub("<", "&lt;").gsub('"', "&quot;")
      end
    end
  end
end
