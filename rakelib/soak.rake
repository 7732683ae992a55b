# frozen_string_literal: true

desc "Do everything at once for SOAK_MINUTES (30 by default), and hold memory and books to what they should be"
task soak: :compile do
  # With an arena for each thread, as glibc has it, its fragments would be what is measured; and
  # with a heap that Ruby lets grow and shrink as it goes, its pages without objects.
  slots = RUBY_VERSION < "3.3" ? "RUBY_GC_HEAP_INIT_SLOTS" : "RUBY_GC_HEAP_0_INIT_SLOTS"
  sh({ "MALLOC_ARENA_MAX" => "1", slots => "600000" }, RbConfig.ruby, "-W1", "-Ilib", "spec/soak/soak.rb")
end
