# frozen_string_literal: true

require_relative "railtie/conditional_get"
require_relative "railtie/controller_runtime"

module Ccache
  # What a Rails app gets by having the gem in its Gemfile: controllers that answer 304
  # from cached entries ({ConditionalGet}), a part of the log line of a request
  # ({ControllerRuntime}), events ({Notifications}), and no object of a class that was
  # reloaded. Puma's workers, preloaded or not, need nothing else.
  class Railtie < ::Rails::Railtie
    initializer "ccache.controllers" do
      ActiveSupport.on_load(:action_controller) do
        include ConditionalGet
        include ControllerRuntime
      end
    end

    initializer "ccache.reloading" do |app|
      app.reloader.after_class_unload { Railtie.forget_objects }
    end

    config.after_initialize { Notifications.publish_if_wanted }

    # Live objects are of the classes that they were made of. What a server has is decoded
    # again, with the new ones; what is in this process alone is kept only where it is not
    # the app's cache.
    #
    # @api private
    def self.forget_objects
      stores = ObjectSpace.each_object(Store).reject(&:closed?)
      own = ::Rails.cache.ccache if ::Rails.cache.respond_to?(:ccache)
      stores.each { |store| store.forget if store.equal?(own) || store.singleton_class.include?(Store::Remote) }
    end
  end
end
