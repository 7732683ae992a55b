# frozen_string_literal: true

# Loads the native part: in a platform gem the one for this Ruby, else the one that was
# built here.
ruby = RUBY_VERSION[/\A\d+\.\d+/]
built_here = File.exist?(File.join(__dir__, "ccache.#{RbConfig::CONFIG["DLEXT"]}"))
rubies = Dir.glob("*/ccache.#{RbConfig::CONFIG["DLEXT"]}", base: __dir__).map { |file| File.dirname(file) }
from_source = "The source gem is built for the Ruby and the system at hand, and needs Rust to install: " \
              "gem install ccache --platform ruby"

if rubies.include?(ruby)
  begin
    require_relative "#{ruby}/ccache"
  rescue LoadError => e
    # Another C library (musl), or an older one.
    raise LoadError, "ccache's platform gem does not work on this system: #{e.message}\n#{from_source}"
  end
elsif built_here || rubies.empty?
  require_relative "ccache"
else
  sorted = rubies.sort_by { |version| Gem::Version.new(version) }
  raise LoadError, "this platform gem of ccache is for Ruby #{sorted.join(", ")}, and this is Ruby #{RUBY_VERSION}.\n" \
                   "#{from_source}"
end
