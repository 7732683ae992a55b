# frozen_string_literal: true

module Bench
  # Lines on logarithmic scales, as an SVG: panels two by two, one legend below.
  # Readable in light and dark, and without colours.
  class Chart
    # @!attribute lines
    #   @return [Hash{String => Array<Array(Numeric, Numeric)>}] points by label
    Panel = Struct.new(:title, :lines)

    WIDTH = 400
    HEIGHT = 240
    ACROSS = 2
    LEFT = 78
    TOP = 112
    GAP = 96
    BELOW = 88
    LEGEND = 16
    RIGHT = 28
    INSET = 18
    STYLES = [["a"], ["b"], ["c", "5 4"]].freeze
    # Without variables, which not every program that shows an SVG knows.
    SHAPES = <<~CSS
      text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
      .title { font-size: 16px; font-weight: 600; }
      .panel { font-weight: 600; }
      .tick, .about { font-size: 12px; }
      .line, .axis, .grid { fill: none; }
      .line { stroke-width: 2.25; stroke-linejoin: round; }
      .dot { stroke-width: 1.5; }
    CSS
    LIGHT = { ground: "#ffffff", ink: "#1f2328", soft: "#59636e", grid: "#e4e7ea", axis: "#8b949e",
              a: "#b3412c", b: "#0b62c4", c: "#59636e" }.freeze
    DARK = { ground: "#0d1117", ink: "#e6edf3", soft: "#9da7b1", grid: "#262c34", axis: "#6e7681",
             a: "#ff8a70", b: "#6cb2ff", c: "#9da7b1" }.freeze
    COLOURS = <<~CSS
      text { fill: %<ink>s; } .tick, .about { fill: %<soft>s; } .ground { fill: %<ground>s; }
      .grid { stroke: %<grid>s; } .axis { stroke: %<axis>s; }
      .line.a { stroke: %<a>s; } .line.b { stroke: %<b>s; } .line.c { stroke: %<c>s; }
      .dot { stroke: %<ground>s; } .dot.a { fill: %<a>s; } .dot.b { fill: %<b>s; } .dot.c { fill: %<c>s; }
    CSS

    # @param across [String] what the horizontal axis measures, with its unit
    # @param up [String] the vertical one
    # @param scale [Numeric] how many of that unit one in the points is
    # @param about [Array<String>] lines below the title
    def initialize(title:, about:, panels:, across:, up:, scale: 1)
      @title = title
      @about = about
      @panels = panels
      @across = across
      @up = up
      @scale = scale
      points = panels.flat_map { |panel| panel.lines.values.flatten(1) }
      @columns = points.map(&:first).uniq.sort
      @decades = decades(points.map { |_, number| number * scale })
    end

    def write(path)
      File.write(path, svg)
    end

    # @return [String]
    def svg
      <<~SVG
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{width} #{height}" width="#{width}" height="#{height}" role="img" aria-label="#{escape(@title)}">
        <style>
        #{SHAPES}#{format(COLOURS, LIGHT)}@media (prefers-color-scheme: dark) {
        #{format(COLOURS, DARK)}}
        </style>
        <rect class="ground" width="100%" height="100%"/>
        #{text(LEFT, 28, @title, "title")}
        #{@about.each_with_index.map { |line, i| text(LEFT, 48 + (i * 17), line, "about") }.join("\n")}
        #{@panels.each_with_index.map { |panel, i| panel(panel, left_of(i % ACROSS), top_of(i / ACROSS)) }.join("\n")}
        #{legend}
        </svg>
      SVG
    end

    private

    def width
      left_of([@panels.size, ACROSS].min) - GAP + RIGHT
    end

    def height
      top_of((@panels.size - 1) / ACROSS) + HEIGHT + BELOW + LEGEND
    end

    def left_of(column)
      LEFT + (column * (WIDTH + GAP))
    end

    def top_of(row)
      TOP + (row * (HEIGHT + BELOW))
    end

    def decades(numbers)
      Range.new(Math.log10(numbers.min).floor, Math.log10(numbers.max).ceil)
    end

    def panel(panel, left, top)
      [text(left, top - 12, panel.title, "panel"), *levels(left, top), *columns(left, top),
       %(<path class="axis" d="M#{left} #{top}v#{HEIGHT}h#{WIDTH}"/>),
       text(left + (WIDTH / 2), top + HEIGHT + 42, @across, nil, "middle"),
       text(0, 0, @up, nil, "middle", "rotate(-90) translate(#{-top - (HEIGHT / 2)} #{left - 56})"),
       *panel.lines.values.each_with_index.map { |points, i| line(points, i, left, top) }].join("\n")
    end

    def levels(left, top)
      @decades.map do |exponent|
        at = down(10**exponent, top)
        %(<path class="grid" d="M#{left} #{at}h#{WIDTH}"/>) +
          text(left - 8, at + 4, Bench.count(10**exponent), "tick", "end")
      end
    end

    def columns(left, top)
      @columns.map do |number|
        at = right(number, left)
        %(<path class="grid" d="M#{at} #{top}v#{HEIGHT}"/>) +
          text(at, top + HEIGHT + 19, Bench.count(number), "tick", "middle")
      end
    end

    def line(points, index, left, top)
      places = points.map { |across, up| [right(across, left), down(up * @scale, top)] }
      path = stroke(index, "M#{places.map { |place| place.join(" ") }.join("L")}")
      [path, *places.map { |place| mark(index, *place) }].join("\n")
    end

    def stroke(index, path)
      name, dashes = STYLES.fetch(index)
      %(<path class="line #{name}"#{dashes && %( stroke-dasharray="#{dashes}")} d="#{path}"/>)
    end

    # Circles, squares, diamonds.
    def mark(index, across, up)
      name, = STYLES.fetch(index)
      shape = case name
              when "a" then "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z"
              when "b" then "m-4.5 -4.5h9v9h-9z"
              else "m0 -5l5 5l-5 5l-5 -5z"
              end
      %(<path class="dot #{name}" d="M#{across} #{up}#{shape}"/>)
    end

    def legend
      left = LEFT
      up = height - 26
      @panels.flat_map { |panel| panel.lines.keys }.uniq.each_with_index.map do |label, i|
        at = left
        left += 76 + (label.size * 7)
        stroke(i, "M#{at} #{up}h30") + mark(i, at + 15, up) + text(at + 38, up + 4, label)
      end.join("\n")
    end

    def right(number, left)
      first, last = @columns.minmax.map { |column| Math.log(column) }
      (left + INSET + ((Math.log(number) - first) / (last - first) * (WIDTH - (2 * INSET)))).round(1)
    end

    def down(number, top)
      (top + (HEIGHT * (@decades.last - Math.log10(number)) / (@decades.last - @decades.first))).round(1)
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
