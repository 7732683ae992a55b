# frozen_string_literal: true

require "openssl"
require "tmpdir"

# A real server that speaks TLS, with certificates made here.
#
# To see red: in ext/ccache_core/src/remote/tls.rs use `AcceptAny` always.
RSpec.describe Ccache::Store, "TLS" do
  let!(:directory) { Dir.mktmpdir("ccache-tls") }
  let!(:authority) { certificate("authority") }
  let!(:of_server) { certificate("localhost", signed_by: authority) }
  let!(:of_client) { certificate("client", signed_by: authority) }

  after { FileUtils.rm_rf(directory) }

  def certificate(name, signed_by: nil)
    key = OpenSSL::PKey::EC.generate("prime256v1")
    made = OpenSSL::X509::Certificate.new
    made.version = 2
    made.serial = rand(2**60)
    made.subject = OpenSSL::X509::Name.new([["CN", name]])
    made.issuer = signed_by ? signed_by[:made].subject : made.subject
    made.public_key = key
    made.not_before = Time.now - 60
    made.not_after = Time.now + 3600
    extend_certificate(made, signed_by)
    made.sign(signed_by ? signed_by[:secret] : key, OpenSSL::Digest.new("SHA256"))
    { made: made, secret: key, cert: file(name, "crt", made.to_pem), key: file(name, "key", key.to_pem) }
  end

  def extend_certificate(made, signed_by)
    factory = OpenSSL::X509::ExtensionFactory.new(signed_by ? signed_by[:made] : made, made)
    made.add_extension(factory.create_extension("basicConstraints", "CA:#{signed_by.nil?.to_s.upcase}", true))
    made.add_extension(factory.create_extension("subjectAltName", "DNS:localhost"))
  end

  def file(name, kind, text)
    File.join(directory, "#{name}.#{kind}").tap { |path| File.write(path, text) }
  end

  # A port for TLS beside the plain one.
  def tls_server(*options)
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    own_server("--tls-port", port.to_s, "--tls-cert-file", of_server[:cert], "--tls-key-file", of_server[:key],
               "--tls-ca-cert-file", authority[:cert], *options)
    port
  end

  it "trusts a certificate that ca_file vouches for" do
    port = tls_server("--tls-auth-clients", "no")
    store = remote(redis: { url: "rediss://localhost:#{port}/1", ssl_params: { ca_file: authority[:cert] } })
    store.set("key", "x" * 100_000, values: :copied)
    expect(store.get("key")).to eq("x" * 100_000)
    there = remote(redis: { url: "rediss://localhost:#{port}/1", ssl_params: { verify_mode: :none } })
    expect(there.get("key")).to eq("x" * 100_000)
    expect(store.inspect).to include("server=rediss://localhost:#{port}/1")
  end

  it "speaks TLS 1.2, too" do
    port = tls_server("--tls-auth-clients", "no", "--tls-protocols", "TLSv1.2")
    [{ ca_file: authority[:cert] }, { verify_mode: :none }].each do |params|
      store = remote(redis: { url: "rediss://localhost:#{port}", ssl_params: params })
      store.set("key", "value")
      expect(store.get("key")).to eq("value")
    end
  end

  it "refuses one that nobody vouches for, or of another name" do
    port = tls_server("--tls-auth-clients", "no")
    expect do
      remote(redis: "rediss://localhost:#{port}").get("key")
    end.to raise_error(Ccache::ConnectionError, /certificate/i)
    expect do
      remote(redis: { url: "rediss://127.0.0.1:#{port}", ssl_params: { ca_file: authority[:cert] } }).get("key")
    end
      .to raise_error(Ccache::ConnectionError, /certificate/i)
  end

  it "shows a client's own certificate" do
    port = tls_server
    params = { ca_file: authority[:cert] }
    expect { remote(redis: { url: "rediss://localhost:#{port}", ssl_params: params }).get("key") }
      .to raise_error(Ccache::ConnectionError)
    params = params.merge(of_client.slice(:cert, :key))
    store = remote(redis: { url: "rediss://localhost:#{port}", ssl_params: params })
    store.set("key", "value")
    expect(store.get("key")).to eq("value")
  end

  # As `openssl x509 -req` makes them.
  def version1(name, secret)
    made = OpenSSL::X509::Certificate.new
    made.version = 0
    made.serial = 1
    made.subject = made.issuer = OpenSSL::X509::Name.new([["CN", name]])
    made.public_key = secret
    made.not_before = Time.now - 60
    made.not_after = Time.now + 3600
    made.sign(secret, OpenSSL::Digest.new("SHA256"))
    { cert: file("old-#{name}", "crt", made.to_pem), key: file("old-#{name}", "key", secret.to_pem) }
  end

  it "takes certificates of X.509 version 1 with verify_mode: :none" do
    secrets = [OpenSSL::PKey::EC.generate("prime256v1"), OpenSSL::PKey::RSA.new(2048)]
    secrets.product(%w[TLSv1.2 TLSv1.3]).each do |secret, protocol|
      port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
      old = version1("localhost", secret)
      own_server("--tls-port", port.to_s, "--tls-cert-file", old[:cert], "--tls-key-file", old[:key],
                 "--tls-ca-cert-file", old[:cert], "--tls-protocols", protocol)
      store = remote(redis: { url: "rediss://localhost:#{port}", ssl_params: { verify_mode: :none, **old } })
      store.set("key", "value")
      expect(store.get("key")).to eq("value")
    end
  end

  it "takes files at once for what they should be" do
    empty = file("empty", "pem", "")
    garbage = file("garbage", "pem", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    own = of_client.slice(:cert, :key)
    {
      { ca_file: empty } => /ca_file: takes a PEM file of certificates: .*no certificate/,
      { ca_file: garbage } => /ca_file: takes a PEM file/,
      { ca_file: own[:key] } => /ca_file: takes a PEM file/,
      { ca_file: __FILE__, verify_mode: :none } => /ca_file: takes a PEM file/,
      { cert: empty, key: own[:key] } => /cert: takes a PEM file/,
      { cert: own[:cert], key: own[:cert] } => /key: takes a PEM file of a private key/,
      { cert: own[:cert], key: of_server[:key] } => /cert: takes a PEM file/
    }.each do |params, message|
      expect { remote(redis: { host: "localhost", ssl_params: params }) }
        .to raise_error(Ccache::InvalidOption, message), params.inspect
    end
  end
end
