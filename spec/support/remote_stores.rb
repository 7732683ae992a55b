# frozen_string_literal: true

# Stores on the shared server, in a namespace of the example's own, each as if it
# were another process.
module RemoteStores
  # A busy machine may leave the server waiting for longer than a second.
  PATIENCE = { connect_timeout: 20, read_timeout: 20, write_timeout: 20 }.freeze

  # @param redis [String, Hash] a server that may say how patient its clients are
  # @return [String, Hash] the same, and patience where it says nothing of that
  def self.patient(redis)
    case redis
    when Hash then { **PATIENCE, **redis }
    when /timeout=/, nil then redis
    else { url: redis, **PATIENCE }
    end
  end

  def remote(redis: Servers.shared.url, **options)
    store = Ccache::Store.new(redis: RemoteStores.patient(redis), namespace: namespace, **options)
    store.tap { remote_stores << store }
  end

  def namespace
    @namespace ||= "spec#{Process.pid}-#{object_id}"
  end

  # What the server holds under a store's key.
  def raw(key)
    Servers.shared.command("GET", "#{namespace}:#{key}")
  end

  def put_raw(key, bytes)
    Servers.shared.command("SET", "#{namespace}:#{key}", bytes)
  end

  def remote_stores
    @remote_stores ||= []
  end
end
