# frozen_string_literal: true

require "set"
require_relative "step"

module Consistency
  # Whether the history of one key is linearizable (Herlihy and Wing 1990): whether
  # each step can be given one moment between its call and its return, so that at
  # these moments each finds what the step before it left.
  #
  # The search is that of Wing and Gong ("Testing and verifying concurrent objects",
  # 1993) in the just-in-time form of Lowe ("Testing for linearizability", 2017): go
  # through the calls and returns by time, and know at each the set of all
  # *configurations* in which the key may be, that is, what it holds, and which of the
  # pending steps were done already. A call adds a pending step. At a return the
  # step must have been done: each configuration in which it was not is replaced by
  # those that come of doing pending steps, in any order, until this one is done. If
  # none is left, nothing explains what was seen.
  #
  # So nothing of the past is kept but the configurations: a set makes the memory of
  # the search, and a moment without pending steps leaves one bare value each. Pending
  # steps are bits of an Integer. Readings change nothing, so one that fits what the key
  # holds is done at once: to put it off would only forbid something later. What is left to
  # try are the orders of the few changes that are pending at the same time.
  class Checker
    # The step that cannot have happened, what the key may have held, and what was pending.
    Violation = Struct.new(:step, :states, :pending) do
      def to_s
        states = self.states.map { |state| Step::NAMES.fetch(state, state) }
        ["#{step.describe(step.call)}, but the key held #{states.join(" or ")}; meanwhile:",
         *pending.map { |other| other.describe(step.call) }].join("\n  ")
      end
    end

    # @param steps [Array<Step>]
    # @return [Violation, nil]
    def self.violation(steps)
      new.violation(steps)
    end

    def initialize
      @configurations = Set[[Step::ABSENT, 0]]
      @pending = {}.compare_by_identity # the steps, and their bits
      @changes = {}.compare_by_identity # of those that are no readings
      @used = 0
      @reads = Hash.new(0) # by what they expect
      @differs = Hash.new(0)
      @all_differs = 0
    end

    # See Checker.violation.
    def violation(steps)
      calls = steps.sort_by(&:call)
      steps.sort_by(&:return).each do |step|
        call(calls.shift) while calls.any? && calls.first.call <= step.return
        before = @configurations
        finish(step)
        return violation_at(step, before) if @configurations.empty?
      end
      nil
    end

    private

    # An optional step that is pending needs no bit, since it may be done again.
    def call(step)
      toggle(step, step.optional ? 0 : take_bit)
    end

    def finish(step)
      if step.optional
        finish_optional(step)
      else
        @configurations = done(bit = @pending[step])
        toggle(step, bit)
        @used &= ~bit
      end
    end

    # At its end an optional step was done once more, last of all, or not; so
    # configurations are only added.
    def finish_optional(step)
      last_time = step.dup
      toggle(last_time, bit = take_bit)
      @configurations |= done(bit)
      toggle(last_time, bit)
      toggle(step, 0)
      @used &= ~bit
    end

    # The lowest that is free.
    def take_bit
      bit = ~@used & (@used + 1)
      @used |= bit
      bit
    end

    # Adds a pending step, or takes it away.
    def toggle(step, bit)
      @pending.key?(step) ? @pending.delete(step) : @pending[step] = bit
      case step.kind
      when :read then @reads[step.expected] ^= bit
      when :differ
        @differs[step.expected] ^= bit
        @all_differs ^= bit
      else
        @changes.key?(step) ? @changes.delete(step) : @changes[step] = bit
      end
    end

    # The pending readings that fit.
    def fitting(state)
      @reads.fetch(state, 0) | (@all_differs & ~@differs.fetch(state, 0))
    end

    # The configurations in which the step of this bit was done; without the bit.
    def done(bit)
      found = Set.new
      seen = Set.new
      open = @configurations.to_a
      until open.empty?
        state, done = open.pop
        done |= fitting(state)
        if done.anybits?(bit)
          found << [state, done & ~bit]
        elsif seen.add?([state, done])
          @changes.each do |change, own|
            change.outcomes(state).each { |after| open << [after, done | own] } unless done.anybits?(own)
          end
        end
      end
      found
    end

    def violation_at(step, configurations)
      Violation.new(step, configurations.map(&:first).uniq, @pending.keys.first(20))
    end
  end
end
