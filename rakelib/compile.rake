# frozen_string_literal: true

require "rb_sys/extensiontask"

RbSys::ExtensionTask.new("ccache", GEMSPEC) do |extension|
  extension.lib_dir = "lib/ccache"
  # RUBY_TARGET is set where rb-sys-dock builds a platform gem; here `rake native` is ours.
  cross = ENV.key?("RUBY_TARGET")
  extension.no_native = !cross
  # The specs need native threads and forgotten handles (Ccache::Testing); the
  # packaged gem has none of it.
  extension.config_options << "--enable-testing" unless cross
end

Rake::Task["compile"].clear_comments.add_description("Build the extension into lib/ccache")
