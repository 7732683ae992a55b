# frozen_string_literal: true

require "mkmf"

def abort_with(missing, remedy)
  abort "\nccache needs #{missing} to be built from source: #{remedy}\n"
end

unless find_executable("cargo")
  abort_with "Rust 1.88 or later (cargo was not found in PATH)",
             "install it with your system's package manager or rustup, then install the gem again."
end

begin
  require "rb_sys/mkmf"
rescue LoadError
  abort_with "the gem rb_sys", "gem install rb_sys, then install ccache again."
end

create_rust_makefile("ccache/ccache") do |config|
  # Ccache::Testing, which the specs need and the packaged gem does not have.
  config.features = ["testing"] if enable_config("testing", false)
end
