# frozen_string_literal: true

require_relative "step"
require_relative "record"

module Consistency
  # What the operations of a round mean: each key's steps.
  #
  # An operation that raised may have been done at any time from its call on: a server
  # that was paused does it when it goes on. But not later than when the server,
  # some time after the operation ended, has answered new connections (a *barrier*):
  # by then it has done all that it was sent before. In between:
  #
  # - A value that somebody read was written, at the latest when the first who read it
  #   returned (values are written once, if they are `unique`).
  # - Values that nobody read are all the same: something unseen may have come.
  # - A removal may have been done.
  class History
    # How long after an operation its last bytes have surely come to the server.
    GRACE = 50_000_000
    NEVER = Float::INFINITY

    # @param records [Array<Record>]
    # @param barriers [Array<Array(Integer, Integer)>] when the server was asked and answered
    # @param emptied [Array<Array(Integer, Integer)>] when it lost everything, in between
    # @param max_age [Integer] nanoseconds by which a read may be late
    # @param unique [Boolean] whether no value was written twice
    # @param evicts [Boolean] whether the server may remove what it likes
    def initialize(records, barriers: [], emptied: [], max_age: 0, unique: true, evicts: false)
      @records = records
      @barriers = barriers
      @emptied = emptied
      @max_age = max_age
      @unique = unique
      @evicts = evicts
    end

    # @return [Hash{Integer => Array<Step>}] by key
    def steps
      @records.group_by(&:key).transform_values do |records|
        @steps = []
        @uncertain = []
        @emptied.each { |call, returned| add(:write, call, returned, value: Step::ABSENT) }
        may(:write, 0, NEVER, value: Step::ABSENT) if @evicts
        records.each { |record| send(record.outcome, record) }
        settle
        certain, optional = @steps.partition { |step| !step.optional }
        certain + merge(optional)
      end
    end

    private

    def add(kind, call, returned, **operands)
      @steps << Step.new(kind: kind, call: call, return: returned, optional: false, **operands)
    end

    def may(kind, call, returned, **operands)
      @steps << Step.new(kind: kind, call: call, return: returned, optional: true, **operands)
    end

    def read(record)
      add(:read, record.call - @max_age, record.return, expected: record.result)
    end

    def done(record)
      times = [record.call, record.return]
      case record.name
      when :set then add(:write, *times, value: record.value)
      when :cas then add(:swap, *times, expected: record.expected, value: record.value)
      when :delete
        record.result == 1 ? add(:remove, *times) : add(:read, *times, expected: Step::ABSENT)
      end
    end

    def refused(record)
      add(:differ, record.call, record.return, expected: record.expected)
    end

    # A fetch that stores its value while something is removed in its process takes it back.
    def loaded(record)
      add(:load, record.call, record.return, value: record.value)
      take_back(record, record.return)
    end

    def unstored(record)
      add(:read, record.call, record.return, expected: Step::ABSENT)
      unknown(record)
    end

    def unknown(record)
      last = end_of(record)
      case record.name
      when :delete then may(:write, record.call, last, value: Step::ABSENT)
      when :set then uncertain(:write, record, last)
      when :cas then uncertain(:swap, record, last, expected: record.expected)
      when :fetch
        uncertain(:swap, record, last, expected: Step::ABSENT)
        take_back(record, last)
      end
    end

    def failed(_record); end

    def take_back(record, last)
      may(:swap, record.call, last, expected: record.value, value: Step::ABSENT)
    end

    def uncertain(kind, record, last, **operands)
      @uncertain << Step.new(kind: kind, call: record.call, return: last, optional: true, value: record.value,
                             **operands)
    end

    # From when on an operation that was given up has no more effect.
    def end_of(record)
      _, answered = @barriers.bsearch { |asked, _| asked >= record.return + GRACE }
      answered || NEVER
    end

    # Decides which of the uncertain writes were done.
    def settle
      if @unique
        follow(first_seen)
        @uncertain.map! { |step| step.optional ? unseen(step) : step }
      end
      @steps.concat(@uncertain)
    end

    # What was seen was done; and what that expected was there before.
    def follow(seen)
      written = @uncertain.to_h { |step| [step.value, step] }
      open = written.values_at(*seen.keys).compact
      while (step = open.pop)
        step.optional = false
        step.return = [step.return, seen[step.value]].min.clamp(step.call..)
        next unless step.kind == :swap && step.return < seen.fetch(step.expected, NEVER)

        seen[step.expected] = step.return
        open << written[step.expected] if written.key?(step.expected)
      end
    end

    def unseen(step)
      Step.new(kind: :write, call: step.call, return: step.return, value: Step::UNSEEN, optional: true)
    end

    # For each value that somebody found when the first who did so returned.
    def first_seen
      finders = @steps.select { |step| !step.optional && %i[read swap].include?(step.kind) }
      finders.each_with_object({}) do |step, seen|
        seen[step.expected] = [seen.fetch(step.expected, NEVER), step.return].min
      end
    end

    # The same possibility at overlapping times is one.
    def merge(optional)
      optional.group_by { |step| [step.kind, step.expected, step.value] }.each_value.flat_map do |steps|
        steps.sort_by(&:call).each_with_object([]) do |step, merged|
          if merged.any? && step.call <= merged.last.return
            merged.last.return = [merged.last.return, step.return].max
          else
            merged << step
          end
        end
      end
    end
  end
end
