# frozen_string_literal: true

require_relative "support/instrumented"

desc "Run the Rust tests and the specs of the binding with AddressSanitizer, and look for leaks of the core"
task asan: %i[asan:core asan:binding]

namespace :asan do
  # Stacks are not watched: Ruby, which is not instrumented, leaves frames without telling.
  rust = Instrumented.new("asan", "-Zsanitizer=address -Cllvm-args=-asan-stack=0")

  # The standard library is not instrumented; what it allocates and copies is watched all the same.
  task(:core) { rust.test_core({ "ASAN_OPTIONS" => "detect_leaks=1" }, "--lib") }

  # Ruby does not free everything at its end, and has signal stacks of its own.
  options = "detect_leaks=0:detect_stack_use_after_return=0:use_sigaltstack=0"

  # The sanitizer's allocator holds in quarantine what should go back to the system, and (GCC's
  # before version 14) leaves its locks to a forked child as other threads held them.
  except = %w[pins/giving_back pins/fork remote/forks].map { |name| "spec/#{name}_spec.rb" }

  task :binding do
    rust.run_specs({ "LD_PRELOAD" => `cc -print-file-name=libasan.so`.chomp, "ASAN_OPTIONS" => options },
                   except: except)
  end
end
