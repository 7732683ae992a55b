# frozen_string_literal: true

module Ccache
  module RailsStore
    # Where the versions of Rails differ from each other. Nothing else looks at one.
    module Version
      IS_7_1 = ActiveSupport.gem_version >= Gem::Version.new("7.1.a")

      # Events carry the key with its namespace; before, what the caller gave.
      EVENTS_CARRY_KEYS = IS_7_1
      # What `write` returns if the server failed.
      WRITE_FAILED = IS_7_1 ? nil : false
      # Rails itself makes `expires_in:` of `expires_at:`, `expire_in:` and `expired_in:`.
      MERGES_TIMES = IS_7_1
      # `fetch_multi` knows `force:`.
      FORCES_MANY = IS_7_1
      # Rails itself cuts names that are longer than `max_key_size:`.
      CUTS_KEYS = ActiveSupport.gem_version >= Gem::Version.new("8.1.a")
      # Rails 6.1 compresses what it is told to before the store sees it.
      ENTRIES_COMPRESS = ActiveSupport.gem_version < Gem::Version.new("7.0.a")
    end
  end
end
