# frozen_string_literal: true

# An app in development, whose class is edited between two requests.
#
# To see red: leave out `after_class_unload` in lib/ccache/railtie.rb.
RSpec.describe "Ccache::Railtie, when Rails reloads code," do
  program = <<~'RUBY'
    require "rack/mock"
    require File.join(ARGV.fetch(0), "config/environment")
    Setting.prepare
    Rails.cache.clear
    theme_file = File.join(ARGV.fetch(0), "app/models/theme.rb")
    page = -> { Rack::MockRequest.new(Rails.application).get("/theme").body }
    own = Ccache::Store.new
    own.set("kept", object = Object.new)

    puts page.call, page.call
    held = Rails.cache.ccache.size
    File.write(theme_file, File.read(theme_file).sub("the theme", "the edited theme"))
    puts page.call, page.call
    puts held, own.get("kept").equal?(object)
  RUBY

  let(:old) { ["the theme dark true"] * 2 }
  let(:new) { ["the edited theme dark true"] * 2 }
  let(:site) { RailsSite.new }

  after { site.stop }

  def run(program, redis: Servers.shared.url(4))
    environment = site.environment(redis: redis)
    FileUtils.touch(site.path("app/models/theme.rb"), mtime: Time.now - 3600) # any change is a later one
    command = [RbConfig.ruby, "-I", Processes::LIBRARY, "-e", program, site.directory]
    output, status = Open3.capture2e({ "RAILS_ENV" => "development", **environment }, *command)
    expect(status).to be_success, output
    output.lines(chomp: true)
  end

  before { Servers.shared.command("FLUSHDB", db: 4) }

  it "gives objects of the new class, with a server" do
    lines = run(program)
    expect(lines).to eq([*old, *new, "1", "true"])
    keys = Servers.shared.command("KEYS", "*", db: 4)
    expect(keys).to eq(["app:theme"]) # decoded again, not loaded again
  end

  it "gives objects of the new class, in process" do
    lines = run(program, redis: nil)
    expect(lines.first(4)).to eq([*old, *new])
    expect(lines.last).to eq("true")
  end
end
