# frozen_string_literal: true

require_relative "packages/platform_gem"

PLATFORM_GEM = PlatformGem.new(GEMSPEC)

desc "Build the platform gem into pkg/, with the extension for each Ruby of the matrix"
task native: NativeBuild.rubies.map { |ruby| "native:#{ruby}" } do
  PLATFORM_GEM.build("pkg")
end

namespace :native do
  NativeBuild.rubies.each do |ruby|
    desc "Build the extension for Ruby #{ruby} into tmp/native, in a root file system"
    task ruby do
      NativeBuild.build(ruby) { |*command| sh(*command) }
    end
  end
end
