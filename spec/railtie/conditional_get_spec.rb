# frozen_string_literal: true

require_relative "booted_app"

# To see red: in lib/ccache/railtie/cached_page.rb leave out the second `held?` (the
# first question's tag for a later value), or `combine_etags` (templates, etaggers).
RSpec.describe Ccache::Railtie::ConditionalGet do
  include BootedApp

  before do
    Rails.cache.clear
    Setting.change(Setting::REVISION, "0")
    Setting.all_by_name
  end

  def tag(path = "/conditional", **headers)
    get(path, **headers)["ETag"]
  end

  # What the server answered to since the block began.
  def calls
    names = %w[pttl getrange]
    before = names.map { |name| Servers.shared.calls(name) }
    yield
    names.map { |name| Servers.shared.calls(name) }.zip(before).map { |now, then_| now - then_ }
  end

  it "answers 304 to who has the page, and the page after a change" do
    page = get("/conditional")
    expect(page).to have_attributes(status: 200, body: include("revision 0"))
    again = get("/conditional", with: page["ETag"])
    expect(again).to have_attributes(status: 304, body: "")
    expect(again["ETag"]).to eq(page["ETag"])
    Setting.change(Setting::REVISION, "1")
    Setting.all_by_name
    changed = get("/conditional", with: page["ETag"])
    expect(changed).to have_attributes(status: 200, body: include("revision 1"))
    expect(changed["ETag"]).not_to eq(page["ETag"])
  end

  it "brings no value, decodes none and renders nothing for a 304, whether this process has it or not" do
    held = tag
    decoded = 0
    tracing = TracePoint.new(:call) { |point| decoded += 1 if point.method_id == :_load_payload }
    [-> {}, -> { Rails.cache.ccache.forget }].each do |prepare|
      prepare.call
      expect(calls { tracing.enable { expect(get("/conditional", with: held).status).to eq(304) } }).to eq([0, 1])
    end
    expect(decoded).to eq(0)
    expect(Rails.cache.ccache.size).to eq(0)
    expect(logged).to include("304 Not Modified").and include("Ccache: 1 reads (1 not modified, 0 loaded)")
    expect(logged).not_to include("Views")
    expect(calls { tracing.enable { get("/conditional", with: '"other"') } }.first).to eq(1)
    expect(decoded).to eq(1)
  end

  it "reads If-None-Match as RFC 9110 says, unlike Rails" do
    held = tag
    strong = held.delete_prefix("W/")
    headers = {
      held => 304, strong => 304, %("x,y", #{held}) => 304, %(W/"x" ,,#{strong}) => 304, "*" => 304, " * " => 304,
      strong.delete('"') => 200, %(#{held}, x) => 200, %(*, #{held}) => 200, '"x"' => 200, "" => 200
    }
    headers.each { |header, status| expect(get("/conditional", with: header).status).to eq(status), header }
  end

  it "lets If-None-Match go before If-Modified-Since" do
    date = Time.now.httpdate
    expect(get("/conditional", with: tag, "HTTP_IF_MODIFIED_SINCE" => date).status).to eq(304)
    expect(get("/conditional", with: '"x"', "HTTP_IF_MODIFIED_SINCE" => date).status).to eq(200)
    expect(get("/conditional", "HTTP_IF_MODIFIED_SINCE" => date).status).to eq(200)
  end

  it "answers HEAD as GET" do
    held = tag
    expect(get("/conditional", with: held, method: "HEAD").status).to eq(304)
    expect(get("/conditional", method: "HEAD")).to have_attributes(status: 200, body: "")
  end

  it "adds to the tag what the controller's etaggers and the call give" do
    tags = ["", "?who=a", "?who=b", "?etag=a", "?etag=c"].map { |query| tag("/conditional#{query}") }
    expect(tags.uniq.size).to eq(5)
    expect(get("/conditional?who=a", with: tags[1]).status).to eq(304)
    expect(get("/conditional?who=b", with: tags[1]).status).to eq(200)
  end

  it "adds the template, so that a deploy that changes the view changes the tag" do
    view = BootedApp::SITE.path("app/views/settings/_page.html.erb")
    before = File.read(view)
    tags = ["", "one", "one"].map do |text|
      File.write(view, before + text)
      ActionView::LookupContext::DetailsKey.clear # as a new process would begin
      tag
    end
    expect([tags[0] == tags[1], tags[1] == tags[2]]).to eq([false, true])
    expect(get("/conditional", with: tags[0]).status).to eq(200)
  ensure
    File.write(view, before)
    ActionView::LookupContext::DetailsKey.clear
  end

  it "adds the variant's template" do
    phone = BootedApp::SITE.path("app/views/settings/conditional.html+phone.erb")
    File.write(phone, "for a phone")
    ActionView::LookupContext::DetailsKey.clear
    tags = [tag, tag("/conditional?variant=phone")]
    expect(tags.uniq.size).to eq(2)
    expect(get("/conditional?variant=phone", with: tags[1]).status).to eq(304)
  ensure
    File.delete(phone)
    ActionView::LookupContext::DetailsKey.clear
  end

  it "leaves the template out where it is told to" do
    page = get("/revision")
    expect(page.body).to eq('{"revision":"0"}')
    expect(get("/revision", with: page["ETag"])).to have_attributes(status: 304, body: "")
    expect(page["ETag"]).not_to eq(tag)
  end

  it "sends the same Cache-Control with the page and with the 304, as `public:` and `expires_in` say" do
    { "" => "max-age=0, private, must-revalidate", "?public" => "public", "?expires=1" => "max-age=60, public" }
      .each do |query, control|
        page = get("/conditional#{query}")
        again = get("/conditional#{query}", with: page["ETag"])
        expect([again.status, page["Cache-Control"], again["Cache-Control"]]).to eq([304, control, control])
      end
  end

  it "makes the page, without a tag of its own, where the entry is missing" do
    held = tag
    Rails.cache.delete("settings")
    page = get("/conditional", with: "*")
    expect(page).to have_attributes(status: 200, body: include("revision 0"))
    expect(page["ETag"]).not_to eq(held)
    expect(get("/conditional", with: held).status).to eq(304) # the same value again
  end

  it "makes the page of the value that its tag names, even of one that comes back" do
    first = tag
    # While the request runs, between the question for the tag and the reading.
    action = proc do |_, _, _, _, payload|
      if payload[:etag]
        elsewhere.delete("settings")
        Setting.find_by(name: Setting::REVISION).update!(value: "1")
        Setting.all_by_name
      end
    end
    Ccache::Notifications.publish
    page = ActiveSupport::Notifications.subscribed(action, "validate.ccache") { get("/conditional", with: '"x"') }
    expect(page.body).to include("revision 1")
    expect(page["ETag"]).not_to eq(first)
    Setting.change(Setting::REVISION, "0")
    Setting.all_by_name
    expect(get("/conditional", with: page["ETag"])).to have_attributes(status: 200, body: include("revision 0"))
    expect(tag).to eq(first)
  end

  it "adds the version of a key that has one, and has no page of another version" do
    versions = %w[1 2].map { |version| Struct.new(:cache_key, :cache_version).new("record", version) }
    Rails.cache.write(versions[0], "value")
    tags = versions.map { |key| Rails.cache.page_tag(key) }
    expect(tags.uniq.size).to eq(2)
    expect(Rails.cache.page_entry(versions[0])).to eq([tags[0], "value"])
    expect(Rails.cache.page_entry(versions[1])).to eq([nil, nil])
  end

  it "looks at values that others may have a little longer than they live" do
    options = { redis: Servers.shared.url(3), namespace: namespace, race_condition_ttl: 10 }
    racing = ActiveSupport::Cache::CcacheStore.new(**options)
    racing.write("key", "value", expires_in: 60)
    expect(racing.page_tag("key")).to be_nil
    expect(racing.page_entry("key")).to match([be_a(String), "value"])
    racing.write("key", "value", expires_in: 0.01)
    sleep 0.02
    expect(racing.page_entry("key")).to eq([nil, nil])
  end

  it "makes no tag of what this process cannot decode" do
    Object.const_set(:Vanishing, Class.new)
    Rails.cache.write("key", Vanishing.new)
    Object.send(:remove_const, :Vanishing)
    expect(Rails.cache.page_entry("key")).to eq([nil, nil])
  end

  it "adds no action to a controller" do
    expect(SettingsController.action_methods).not_to include("fresh_when_cached", "stale_cached?")
    expect(SettingsController.const_defined?(:CachedPage)).to be(false)
  end

  it "needs a key" do
    expect { SettingsController.new.stale_cached? }.to raise_error(ArgumentError, /needs the key/)
  end
end
