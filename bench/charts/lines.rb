# frozen_string_literal: true

require_relative "drawing"

module Bench
  module Charts
    # A picture of lines, each with a mark at every point.
    #
    # @!attribute lines
    #   @return [Hash{String => Array<Array(Numeric, Numeric)>}] points by label
    # @!attribute up
    #   @return [String] what the vertical axis measures, with its unit
    # @!attribute scale
    #   @return [Class] of that axis
    Panel = Struct.new(:title, :lines, :up, :scale, keyword_init: true)

    # Panels of lines, two by two, over the same horizontal axis, with one legend below.
    class Lines < Drawing
      WIDTH = 400
      HEIGHT = 240
      ACROSS = 2
      GAP = 96
      BELOW = 88
      LEGEND = 16
      INSET = 18

      # @param across [String] what the horizontal axis measures, with its unit
      # @param scale [Class] of that axis
      def initialize(title:, about:, panels:, across:, scale: LogAxis)
        super(title: title, about: about)
        @panels = panels
        @across = across
        @columns = scale.new(nil, ticks: panels.flat_map { |panel| points(panel).map(&:first) }.uniq.sort)
        @labels = panels.flat_map { |panel| panel.lines.keys }.uniq
        @levels = levels
      end

      private

      # Panels of the same measure have the same axis, so that they can be compared.
      def levels
        @panels.group_by(&:up).transform_values do |alike|
          alike.first.scale.new(alike.flat_map { |panel| points(panel).map(&:last) })
        end
      end

      def points(panel)
        panel.lines.values.flatten(1)
      end

      def width
        [left_of([@panels.size, ACROSS].min) - GAP + RIGHT, legend_width + RIGHT].max
      end

      def height
        top_of((@panels.size - 1) / ACROSS) + HEIGHT + BELOW + LEGEND
      end

      def left_of(column)
        LEFT + (column * (WIDTH + GAP))
      end

      def top_of(row)
        head + 24 + (row * (HEIGHT + BELOW))
      end

      def body
        drawn = @panels.each_with_index.map { |panel, i| panel(panel, left_of(i % ACROSS), top_of(i / ACROSS)) }
        [*drawn, legend].join("\n")
      end

      def panel(panel, left, top)
        levels = @levels.fetch(panel.up)
        [text(left, top - 12, panel.title, "panel"), *rows(levels, left, top), *columns(left, top),
         %(<path class="axis" d="M#{left} #{top}v#{HEIGHT}h#{WIDTH}"/>),
         text(left + (WIDTH / 2), top + HEIGHT + 42, @across, nil, "middle"),
         text(0, 0, panel.up, nil, "middle", "rotate(-90) translate(#{-top - (HEIGHT / 2)} #{left - 56})"),
         *panel.lines.map { |label, points| line(points, label, levels, left, top) }].join("\n")
      end

      def rows(levels, left, top)
        levels.ticks.map do |tick|
          at = down(tick, levels, top)
          grid("M#{left} #{at}h#{WIDTH}") + text(left - 8, at + 4, number(tick), "tick", "end")
        end
      end

      def columns(left, top)
        @columns.ticks.map do |tick|
          at = right(tick, left)
          grid("M#{at} #{top}v#{HEIGHT}") + text(at, top + HEIGHT + 19, number(tick), "tick", "middle")
        end
      end

      def line(points, label, levels, left, top)
        index = @labels.index(label)
        places = points.map { |across, up| [right(across, left), down(up, levels, top)] }
        path = stroke(index, "M#{places.map { |place| place.join(" ") }.join("L")}")
        [path, *places.map { |place| mark(index, *place) }].join("\n")
      end

      def legend
        up = height - 26
        left = LEFT
        @labels.each_with_index.map do |label, i|
          at = left
          left += legend_step(label)
          stroke(i, "M#{at} #{up}h30") + mark(i, at + 15, up) + text(at + 38, up + 4, label)
        end.join("\n")
      end

      def legend_step(label)
        66 + (label.size * 7)
      end

      def legend_width
        LEFT + @labels.sum { |label| legend_step(label) }
      end

      def right(number, left)
        (left + INSET + (@columns.share(number) * (WIDTH - (2 * INSET)))).round(1)
      end

      def down(number, levels, top)
        (top + (HEIGHT * (1 - levels.share(number)))).round(1)
      end
    end
  end
end
