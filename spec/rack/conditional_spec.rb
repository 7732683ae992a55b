# frozen_string_literal: true

require "delegate"
require "rack"

# To see red: in lib/ccache/rack/conditional.rb take the response's tag from
# `held_tag` (another value's tag), or read the entries before the tags (transfers).
RSpec.describe Ccache::Rack::Conditional do
  let(:store) { Ccache::Store.new }
  let(:calls) { [] }
  let(:app) do
    lambda do |env|
      calls << env["PATH_INFO"]
      entries = env["ccache.entries"]
      body = entries ? entries.values.map(&:value).join(" ") : "nothing"
      [200, { "content-type" => "text/plain" }, [body]]
    end
  end

  def conditional(app: self.app, store: self.store, **options, &key)
    Rack::MockRequest.new(Rack::Lint.new(described_class.new(Rack::Lint.new(app), store: store, **options, &key)))
  end

  # Rack 3 has names in lower case alone; before, any case was right.
  def named(headers)
    Rack.release.to_i >= 3 ? headers.transform_keys(&:downcase) : headers
  end

  # With the key that the path names.
  def request(path = "/settings", with: nil, method: "GET", **options)
    rack = conditional(**options) { |env| env["PATH_INFO"].delete_prefix("/").split("+") }
    rack.request(method, path, { "HTTP_IF_NONE_MATCH" => with }.compact)
  end

  it "gives a page the tag of its entry, and answers 304 to who has it" do
    etag = store.set("settings", "dark")
    page = request
    expect([page.status, page.body, page["ETag"]]).to eq([200, "dark", %(W/"#{etag}")])
    again = request(with: page["ETag"])
    expect([again.status, again.body, again["ETag"]]).to eq([304, "", page["ETag"]])
    expect(calls.size).to eq(1)
  end

  it "shows the change after a write" do
    store.set("settings", "dark")
    held = request["ETag"]
    store.set("settings", "light")
    page = request(with: held)
    expect([page.status, page.body]).to eq([200, "light"])
    expect(page["ETag"]).not_to eq(held)
  end

  it "reads If-None-Match as RFC 9110 says" do
    etag = store.set("settings", "dark", etag: "v1")
    expect(etag).to eq("v1")
    headers = { '"v1"' => 304, 'W/"v1"' => 304, '"v0", W/"v1"' => 304, "*" => 304, '"v0"' => 200, "v1" => 200,
                '"v1' => 200, '*, "v1"' => 200 }
    headers.each { |header, status| expect(request(with: header).status).to eq(status), header }
  end

  it "asks a server for the tag alone when it answers 304" do
    here = remote
    etag = remote.set("settings", "dark" * 1000)
    transfers = Servers.shared.calls("pttl")
    expect(request(with: %("#{etag}"), store: here).status).to eq(304)
    expect(Servers.shared.calls("pttl")).to eq(transfers)
    expect(here.size).to eq(0)
    expect(request(with: '"other"', store: here).body).to eq("dark" * 1000)
    expect(here.stats[:transfers]).to eq(1)
  end

  it "never gives one value's page the tag of another, even of a value that comes back" do
    here = remote
    tag = here.set("settings", "a")
    # Between the question for the tag and the reading: another value, as long as it takes.
    slow = Class.new(SimpleDelegator) do
      def entry(key)
        __getobj__.set(key, "b")
        super.tap { __getobj__.set(key, "a") }
      end
    end
    page = request(with: '"other"', store: slow.new(here))
    expect([page.body, page["ETag"] == %(W/"#{tag}")]).to eq(["b", false])
    expect(request(with: page["ETag"], store: here)).to have_attributes(status: 200, body: "a")
  end

  it "answers HEAD like GET, and leaves all other methods alone" do
    etag = store.set("settings", "dark")
    expect(request(method: "HEAD", with: %("#{etag}")).status).to eq(304)
    %w[POST PUT PATCH DELETE OPTIONS].each do |method|
      page = request(method: method, with: %("#{etag}"))
      expect([page.status, page.body, page["ETag"]]).to eq([200, "nothing", nil])
    end
  end

  it "looks at nothing where no key is named" do
    store.set("settings", "dark")
    rack = conditional { nil }
    page = rack.get("/", "HTTP_IF_NONE_MATCH" => "*")
    expect([page.status, page.body, page["ETag"], store.stats[:hits]]).to eq([200, "nothing", nil, 0])
  end

  it "takes the key that the env names" do
    etag = store.set("settings", "dark")
    middleware = described_class.new(app, store: store)
    env = Rack::MockRequest.env_for("/", "ccache.key" => :settings, "HTTP_IF_NONE_MATCH" => %("#{etag}"))
    expect(middleware.call(env).first).to eq(304)
    expect(middleware.call(Rack::MockRequest.env_for("/", "HTTP_IF_NONE_MATCH" => %("#{etag}"))).first).to eq(200)
  end

  it "makes one tag of many entries, which each of them changes" do
    store.set("a", "1")
    store.set("b", "2")
    tags = [request("/a+b")["ETag"], request("/b+a")["ETag"], request("/a")["ETag"]]
    expect(request("/a+b", with: tags.first).status).to eq(304)
    store.set("b", "3")
    page = request("/a+b", with: tags.first)
    expect([page.status, page.body]).to eq([200, "1 3"])
    expect([*tags, page["ETag"]].uniq.size).to eq(4)
  end

  it "tells two lists of tags apart that look alike in one line" do
    store.set("a", 1, etag: "1:x")
    store.set("b", 1, etag: "y")
    before = request("/a+b")["ETag"]
    store.set("a", 1, etag: "1")
    store.set("b", 1, etag: "x1:y")
    expect(request("/a+b")["ETag"]).not_to eq(before)
  end

  it "changes all tags with the version" do
    etag = store.set("settings", "dark")
    tags = [nil, "1", "2"].map { |version| request(version: version)["ETag"] }
    expect(tags.first).to eq(%(W/"#{etag}"))
    expect(tags.uniq.size).to eq(3)
    expect(request(version: "1", with: tags[1]).status).to eq(304)
    expect(request(version: "2", with: tags[1]).status).to eq(200)
  end

  it "sends its headers with the page and with the 304, and overrides none of the page's" do
    etag = store.set("settings", "dark")
    headers = named("Cache-Control" => "no-cache", "Vary" => "Accept")
    own = ->(_env) { [200, { "content-type" => "text/plain", "vary" => "Cookie" }, ["page"]] }
    expect(request(headers: headers).headers).to include(headers)
    expect(request(headers: headers, with: %("#{etag}")).headers).to include(headers)
    beside_own = request(headers: headers, app: own).headers
    expect(beside_own).to include("vary" => "Cookie", **named("Cache-Control" => "no-cache"))
    expect(beside_own.to_a.flatten).not_to include("Accept")
  end

  it "puts no tag on what is no page, or has one" do
    store.set("settings", "dark")
    text = { "content-type" => "text/plain" }
    failing = ->(_env) { [500, text, ["sorry"]] }
    tagged = ->(_env) { [200, text.merge(named("ETag" => '"own"')), ["page"]] }
    expect(request(app: failing)["ETag"]).to be_nil
    expect(request(app: tagged)["ETag"]).to eq('"own"')
  end

  it "leaves the page to the application where an entry is missing" do
    store.set("a", "1")
    ["*", '"x"', nil].each do |header|
      page = request("/a+missing", with: header)
      expect([page.status, page.body, page["ETag"]]).to eq([200, "nothing", nil])
    end
  end

  it "leaves the page to the application where the server does not answer" do
    server = own_server
    here = remote(redis: server.url)
    etag = here.set("settings", "dark")
    server.kill
    page = request(with: %("#{etag}"), store: here)
    expect([page.status, page.body, page["ETag"]]).to eq([200, "nothing", nil])
  end

  it "refuses a version that is no String" do
    expect { Ccache::Rack::Conditional.new(nil, store: 7) }
      .to raise_error(Ccache::InvalidOption, /store: takes a Ccache::Store, got 7/)
    expect { conditional(version: 1) }.to raise_error(Ccache::InvalidOption, /version: takes a String or nil, got 1/)
  end
end
