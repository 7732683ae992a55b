# frozen_string_literal: true

require_relative "drawing"

module Bench
  module Charts
    # One number for each of some peers, below each other. A bar tells by its length, so
    # it begins at nothing; on a logarithmic axis, which has no such place, it is a mark.
    class Ranking < Drawing
      WIDTH = 520
      NAMES = 280
      ROW = 28
      FOOT = 60

      # @param rows [Hash{String => Numeric}]
      # @param ours [Array<String>] which of them stand out
      # @param across [String] what is measured, with its unit
      def initialize(title:, about:, rows:, across:, ours: [], scale: LinearAxis)
        super(title: title, about: about)
        @rows = rows
        @ours = ours
        @across = across
        @axis = scale.new(rows.values)
      end

      private

      def width
        NAMES + WIDTH + 90
      end

      def height
        bottom + FOOT
      end

      def top
        head + 12
      end

      def bottom
        top + (@rows.size * ROW)
      end

      def body
        rows = @rows.each_with_index.map { |(name, figure), i| row(name, figure, top + (i * ROW) + (ROW / 2)) }
        [*@axis.ticks.map { |tick| column(tick) }, %(<path class="axis" d="M#{NAMES} #{top}V#{bottom}"/>), *rows,
         text(NAMES + (WIDTH / 2), bottom + 42, @across, nil, "middle")].join("\n")
      end

      def column(tick)
        grid("M#{right(tick)} #{top}V#{bottom}") + text(right(tick), bottom + 18, number(tick), "tick", "middle")
      end

      def row(name, figure, middle)
        is_ours = @ours.include?(name)
        text(NAMES - 10, middle + 4, name, is_ours ? "ours" : nil, "end") +
          shape(figure, middle, is_ours ? 0 : 2) +
          text(right(figure) + 10, middle + 4, shown(figure), is_ours ? "ours" : nil)
      end

      def shape(figure, middle, style)
        return mark(style, right(figure), middle) if @axis.is_a?(LogAxis)

        name, = STYLES.fetch(style)
        %(<path class="dot #{name}" d="M#{NAMES} #{middle - 8}H#{right(figure)}v16H#{NAMES}z"/>)
      end

      def shown(figure)
        figure < 10 ? format("%.1f", figure) : Bench.count(figure)
      end

      def right(figure)
        (NAMES + (@axis.share(figure) * WIDTH)).round(1)
      end
    end
  end
end
