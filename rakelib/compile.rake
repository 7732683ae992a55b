# frozen_string_literal: true

require "rb_sys/extensiontask"

RbSys::ExtensionTask.new("ccache", GEMSPEC) do |extension|
  extension.lib_dir = "lib/ccache"
  # The specs need native threads and forgotten handles (Ccache::Testing); the
  # packaged gem has none of it.
  extension.config_options << "--enable-testing"
end

Rake::Task["compile"].clear_comments.add_description("Build the extension into lib/ccache")
