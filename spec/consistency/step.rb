# frozen_string_literal: true

module Consistency
  # One thing that an operation did, or may have done, to a key at one moment between
  # its call and its return. What a key holds is a number: the value that was written
  # under it, or one of the two below.
  #
  # | kind | needs | leaves |
  # |---|---|---|
  # | `:read` | `expected` | the same |
  # | `:differ` | anything but `expected` | the same |
  # | `:write` | anything | `value` |
  # | `:swap` | `expected` | `value` |
  # | `:remove` | anything but nothing | nothing |
  # | `:load` | nothing | `value`, or nothing |
  #
  # An optional step may have been done never, once or more often.
  Step = Struct.new(:kind, :expected, :value, :call, :return, :optional, keyword_init: true) do
    def reading?
      kind == :read || kind == :differ
    end

    # What the key may hold after this step, if it holds `state` before it; none if
    # the step cannot be done then.
    def outcomes(state)
      case kind
      when :write then [value]
      when :swap then state == expected ? [value] : []
      when :remove then state == Step::ABSENT ? [] : [Step::ABSENT]
      when :load then state == Step::ABSENT ? [value, Step::ABSENT] : []
      end
    end

    # With times in microseconds since `origin`.
    def describe(origin)
      operands = [expected, value].compact.map { |number| Step::NAMES.fetch(number, number) }
      times = [call, self.return].map { |time| ((time - origin) / 1000.0).round }
      "#{kind} #{operands.join(" → ")}#{" (perhaps)" if optional} from #{times.first} to #{times.last} µs"
    rescue FloatDomainError
      "#{kind} #{operands.join(" → ")} (perhaps) at any time"
    end
  end

  # The key holds nothing.
  Step::ABSENT = 0
  # The key holds a value that nobody ever read.
  Step::UNSEEN = -1
  # What a reader reports that got a value in pieces; nobody writes it.
  Step::BROKEN = -2
  Step::NAMES = { Step::ABSENT => "nothing", Step::UNSEEN => "unseen", Step::BROKEN => "broken" }.freeze
end
