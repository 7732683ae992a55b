# frozen_string_literal: true

module Consistency
  # One operation as its caller knows it. Times are nanoseconds of the monotonic clock,
  # which is the same in all processes of a machine.
  #
  # It is a line for the call, written before the call, and a line for the return, so
  # that of a process that was killed all but the last return is known.
  #
  # `value` is what the caller writes, `expected` what it takes the key to hold.
  # `outcome` and `result`:
  #
  # - `:read`: it gave the value `result`
  # - `:done`: it did what it should; `result` of a delete is 1 if something was there
  # - `:refused`: its condition did not hold
  # - `:loaded`: a fetch ran its block and gave that value
  # - `:unstored`: the same, but the server could not be told
  # - `:failed`: it did nothing
  # - `:unknown`: it raised, or was killed, and may have done what it should
  Record = Struct.new(:name, :key, :value, :expected, :call, :outcome, :result, :return) do
    def self.now
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    end

    # All operations of a log, in their order.
    #
    # @param ended [Integer] when the process was surely dead
    def self.read(path, ended)
      open = nil
      records = []
      File.foreach(path) do |line|
        next unless line.end_with?("\n") # killed in the middle of it

        word, *numbers = line.split
        if numbers.size == 4
          records << (open = new(word.to_sym, *numbers.map(&:to_i), :unknown, nil, ended))
        else
          open.outcome = word.to_sym
          open.result, open.return = numbers.map(&:to_i)
        end
      end
      records
    end

    def self.call_line(name, key, value, expected)
      "#{name} #{key} #{value} #{expected} #{now}\n"
    end

    def self.return_line(outcome, result, time)
      "#{outcome} #{result} #{time}\n"
    end

    def reading?
      outcome == :read
    end

    # Whether the server said something to it.
    def answered?
      !%i[failed unknown].include?(outcome)
    end

    # Whether it may have changed something, and nobody knows.
    def ambiguous?
      outcome == :unstored || (outcome == :unknown && !%i[get entry].include?(name))
    end
  end
end
