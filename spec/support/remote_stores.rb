# frozen_string_literal: true

# Stores on the shared server, in a namespace of the example's own, each as if it
# were another process.
module RemoteStores
  # A busy machine may leave the server waiting for longer than a second.
  PATIENCE = { connect_timeout: 20, read_timeout: 20, write_timeout: 20 }.freeze

  def remote(**options)
    options = { redis: { url: Servers.shared.url, **PATIENCE }, namespace: namespace }.merge(options)
    Ccache::Store.new(**options).tap { |store| remote_stores << store }
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
