# frozen_string_literal: true

# The consistency specs are part of the others; this is the same at length.
namespace :consistency do
  desc "Run OPERATIONS (10,000,000 by default) under all faults, and check every history"
  task long: :compile do
    ruby "-w", "spec/consistency/long.rb", verbose: false
  end
end
