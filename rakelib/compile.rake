# frozen_string_literal: true

require "rb_sys/extensiontask"

# The specs need native threads and forgotten handles (Ccache::Testing); the
# packaged gem has none of it.
ENV["CCACHE_FEATURES"] ||= "testing"

RbSys::ExtensionTask.new("ccache", GEMSPEC) do |extension|
  extension.lib_dir = "lib/ccache"
end

Rake::Task["compile"].clear_comments.add_description("Build the extension into lib/ccache")
