# frozen_string_literal: true

ENV["RAILS_ENV"] = "test"
require "rack/mock"
require "rails"
require "ccache/railtie" # which ccache does by itself where Rails is loaded before it

# The app in this process, for what needs no other one.
module BootedApp
  SITE = RailsSite.new
  ENV.update(SITE.environment(redis: Servers.shared.url(3)))
  require File.join(SITE.directory, "config/environment")
  Setting.prepare
  Rails.logger = ActiveSupport::Logger.new(LOG = StringIO.new)
  ActionController::Base.logger = Rails.logger

  # A store as another process would have it.
  def elsewhere
    @elsewhere ||= ActiveSupport::Cache.lookup_store(*Rails.configuration.cache_store)
  end

  def get(path, with: nil, method: "GET", **headers)
    headers["HTTP_IF_NONE_MATCH"] = with if with
    Rack::MockRequest.new(Rails.application).request(method, path, headers)
  end

  # The line that the last request logged.
  def logged
    LOG.string.lines.grep(/Completed/).last
  end
end
