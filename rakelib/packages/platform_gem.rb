# frozen_string_literal: true

require_relative "gem_file"
require_relative "native_build"

# The gem that has the extension in it, built, for each Ruby of the matrix.
class PlatformGem
  # @param source [Gem::Specification] of the source gem
  # @param rubies [Array<String>] as "3.4", the oldest first
  def initialize(source, rubies = NativeBuild.rubies)
    @source = source
    @rubies = rubies
  end

  # @return [Gem::Specification]
  def specification
    @specification ||= @source.dup.tap do |gem|
      gem.platform = "#{Gem::Platform.local.cpu}-#{Gem::Platform.local.os}"
      gem.files = @source.files.grep_v(%r{\Aext/|\ACargo\.}) + extensions.keys
      gem.extensions = []
      gem.dependencies.reject! { |dependency| dependency.name == "rb_sys" }
      gem.required_ruby_version = [">= #{@rubies.first}", "< #{@rubies.last.next}.dev"]
    end
  end

  # @return [String] the path
  def build(directory)
    GemFile.build(specification, File.join(directory, specification.file_name), extensions)
  end

  private

  def extensions
    @rubies.to_h { |ruby| ["lib/ccache/#{ruby}/ccache.so", NativeBuild.path(ruby)] }
  end
end
