# frozen_string_literal: true

# A server whose access control list forbids one command or another: what cannot be done
# says which command, and has done nothing.
#
# To see red: in ext/ccache_core/src/remote/atomic.rs send the transaction without a
# trial, or in script.rs take any error of GETRANGE for nothing that is there.
RSpec.describe Ccache::Store, "a server that refuses commands" do
  let!(:server) { own_server }

  def user_without(*commands)
    server.command("ACL", "SETUSER", "user", "reset", "on", ">password", "~*", "&*", "+@all",
                   *commands.map { |command| "-#{command}" })
    remote(redis: { url: server.url, username: "user", password: "password", **RemoteStores::PATIENCE })
  end

  def contents
    server.command("KEYS", "*").sort.to_h { |key| [key, server.command("GET", key)] }
  end

  def refusal(&)
    proc(&).call
    nil
  rescue Ccache::ServerError => e
    e
  end

  it "counts with an expiry where MULTI or scripts are refused" do
    [%w[multi], %w[exec], %w[eval], %w[evalsha], %w[eval evalsha], %w[multi evalsha]].each do |refused|
      server.command("FLUSHALL")
      server.command("SCRIPT", "FLUSH")
      store = user_without(*refused)
      expect(Array.new(4) { store.increment("hits", 1, expires_in: 60) }).to eq([1, 2, 3, 4]), refused.join(" ")
      expect(server.command("PTTL", "#{namespace}:hits")).to be_between(50_000, 60_000)
      expect(store.increment("hits", (2**62) - 4, expires_in: 60)).to eq(2**62)
    end
  end

  it "removes, and says what was there, where MULTI or scripts are refused" do
    [%w[multi], %w[exec], %w[eval], %w[eval evalsha]].each do |refused|
      server.command("FLUSHALL")
      store = user_without(*refused)
      store.set_multi({ "a" => 1, "b" => "value" })
      expect([store.delete("a"), store.delete("a"), store.delete_multi("a", "b")]).to eq([true, false, 1])
      expect(contents).to be_empty
    end
  end

  it "does nothing where both are refused, and goes on with the next command" do
    store = user_without("eval", "evalsha", "multi")
    store.set("key", "value")
    store.set("hits", 1)
    before = contents
    expect(refusal { store.increment("hits", 1, expires_in: 60) }.message).to match(/eval/)
    expect(refusal { store.delete("key") }.message).to match(/eval/)
    expect(contents).to eq(before)
    expect(store.get("key")).to eq("value")
    expect(store.increment("hits")).to eq(2)
  end

  # What is called, and what needs which command of the server.
  def operations(store, etag)
    {
      %w[getrange pttl] => -> { store.get("key") },
      %w[set] => -> { store.set("new", "value") },
      %w[set getrange] => -> { store.set("new", "value", if_none_match: "*") },
      %w[incrby getrange pttl] => -> { store.increment("hits", 1, expires_in: 60) },
      %w[incrby] => -> { store.increment("hits") },
      %w[del getrange] => -> { store.delete("key") },
      %w[del getrange eval] => -> { store.delete("key", if_match: etag) },
      %w[scan unlink] => -> { store.clear },
      %w[strlen] => -> { store.send(:_spared_bytes, "key") }
    }
  end

  %w[getrange get pttl set del unlink incrby multi exec eval evalsha scan strlen].each do |command|
    it "names #{command} if that is refused, where it needs it, and changes nothing" do
      all = remote(redis: { url: server.url, **RemoteStores::PATIENCE })
      etag = all.set("key", "value")
      all.set("hits", 7)
      server.command("SCRIPT", "FLUSH")
      store = user_without(command)
      operations(store, etag).each do |needed, operation|
        next unless needed.include?(command)

        before = contents
        expect(refusal(&operation)).to have_attributes(message: /#{command}/i, retriable?: false), needed.join(" ")
        expect(contents).to eq(before)
      end
    end
  end

  it "is not told a key's value by an error that repeats the command" do
    renamed = own_server("--rename-command", "SET", "")
    store = remote(redis: { url: renamed.url, **RemoteStores::PATIENCE })
    message = refusal { store.set("key", "a value") }.message
    expect(message).to match(/unknown command.*SET/)
    expect(message).not_to include("a value")
  end
end
