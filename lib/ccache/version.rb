# frozen_string_literal: true

module Ccache
  # The version of the gem; that of the Rust crates in Cargo.toml is the same.
  VERSION = "0.1.0"
end
