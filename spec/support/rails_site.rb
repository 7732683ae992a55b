# frozen_string_literal: true

require "fileutils"
require "tmpdir"
require_relative "this_process"

# The app of spec/rails_app, copied where a spec may change it, with a database.
class RailsSite
  SOURCE = File.expand_path("../rails_app", __dir__)

  attr_reader :directory

  def initialize
    @directory = Dir.mktmpdir("ccache-rails")
    ThisProcess.at_exit { stop }
    FileUtils.cp_r("#{SOURCE}/.", directory)
    FileUtils.rm_f(path("Gemfile.lock"))
  end

  def path(name)
    File.join(directory, name)
  end

  def environment(redis:, cache: "ccache")
    { "APP_REDIS" => redis, "APP_CACHE" => cache, "APP_DATABASE" => path("db.sqlite3") }
  end

  def log
    Dir[path("log/*.log")].map { |file| File.read(file) }.join
  end

  def stop
    FileUtils.rm_rf(directory)
  end
end
