# frozen_string_literal: true

# What docs/protocol.md says that a signature does not promise. Where one of these changes, so
# does the page.
RSpec.describe Ccache::Store, "with signatures, at a server that is not honest" do
  let(:writer) { remote(signing_keys: "a key, of sixteen bytes or more") }
  let(:reader) { remote(signing_keys: "a key, of sixteen bytes or more") }

  it "takes an older signed value of the same key" do
    writer.set("key", "old")
    old = raw("key")
    writer.set("key", "new")
    expect(reader["key"]).to eq("new")
    put_raw("key", old)
    expect(reader["key"]).to eq("old")
  end

  it "keeps its copy by a header alone, and reads no value from one" do
    writer.set("key", "value")
    expect(reader["key"]).to eq("value")
    put_raw("key", raw("key")[0, 24])
    expect(reader["key"]).to eq("value")
    expect(remote(signing_keys: "a key, of sixteen bytes or more")["key"]).to be_nil
  end

  it "misses what was deleted there" do
    writer.set("key", "value")
    Servers.shared.command("DEL", "#{namespace}:key")
    expect(reader["key"]).to be_nil
  end
end
