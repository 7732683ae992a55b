# frozen_string_literal: true

desc "Do everything at once for SOAK_MINUTES (30 by default), and hold memory and books to what they should be"
task soak: :compile do
  # With an arena for each thread, as glibc has it, its fragments would be what is measured.
  sh({ "MALLOC_ARENA_MAX" => "1" }, RbConfig.ruby, "-w", "-Ilib", "spec/soak/soak.rb")
end
