# frozen_string_literal: true

# Loaded before RSpec by `rake coverage:ruby` alone: counts the lines of lib that are run in
# this process, as .simplecov says. Programs and apps that specs start are not counted.
require "simplecov"

SimpleCov.start do
  command_name "process #{Process.pid}"
  # The task reads what all processes have counted.
  at_exit { SimpleCov.result }
end
