# frozen_string_literal: true

require "bundler"
require "open3"
require "tmpdir"
require_relative "documented_commands"
require_relative "pages"

# Whatever a page shows in code is run, and held against what the page says. A block or a
# command that no check knows fails here.
RSpec.describe "The documentation", limit: 300 do
  # What runs a block, by its language and how it begins.
  kinds = {
    example: ->(block) { block.language == "ruby" && block.text.match?(/# => /) }, # readme_spec.rb
    gemfile: ->(block) { block.language == "ruby" && block.text.start_with?("gem ") },
    rails_configuration: ->(block) { block.language == "ruby" && block.text.match?(/^config\./) },
    rack: ->(block) { block.language == "ruby" && block.text.start_with?("use Ccache::Rack") },
    controller: ->(block) { block.language == "ruby" && block.text.include?("< ApplicationController") },
    subscriber: ->(block) { block.language == "ruby" && block.text.start_with?("ActiveSupport::Notifications") },
    crash: ->(block) { block.language == "ruby" && block.text.start_with?("class Scheduler") },
    shell: ->(block) { block.language == "sh" },        # its commands are among all others
    log: ->(block) { block.language == "log" },         # with the controller
    diagram: ->(block) { block.language == "diagram" },
    vectors: ->(block) { block.language == "vectors" }, # spec/remote/protocol_spec.rb, wire_test.rs
    soak: ->(block) { block.language == "text" && block.page == "docs/soak.md" }
  }
  blocks = Pages.blocks.group_by { |block| kinds.keys.find { |kind| kinds[kind].call(block) } }

  def url(database)
    Servers.shared.url(database)
  end

  # Its standard output: Rails and other gems warn. Not in Bundler's environment, as little as
  # the specs' other programs.
  def printed_by(program, directory: Dir.pwd, **environment)
    output, errors, status = Open3.capture3(environment.transform_keys(&:to_s), RbConfig.ruby, "-W0",
                                            "-I", Processes::LIBRARY, "-e", program, chdir: directory)
    expect(status).to be_success, "#{errors}\n#{output}"
    output
  end

  it "has no block that nothing runs" do
    expect(blocks.fetch(nil, []).map(&:place)).to eq([])
    expect(kinds.keys - blocks.keys).to eq([])
  end

  it "has its wire vectors in the one block that their specs read" do
    expect(blocks[:vectors].map(&:page)).to eq(["docs/protocol.md"])
  end

  it "has lines for a Gemfile that Bundler takes" do
    lines = blocks[:gemfile].flat_map { |block| block.text.lines } + Pages.spans.grep(/\Agem "/)
    expect(lines.size).to be >= 2
    old_bundler = Gem::Version.new(Bundler::VERSION) < Gem::Version.new("2.3.18") # as docs/installing.md says
    lines.each do |line|
      gemfile = Bundler::Dsl.new
      gemfile.instance_eval(line.sub(/, force_ruby_platform: true/) { |option| old_bundler ? "" : option })
      expect(gemfile.dependencies.map(&:name)).to eq(["ccache"])
    end
  end

  # Each in a process of its own, forked from one that has loaded Rails.
  it "has configurations with which a Rails app boots, and caches" do
    lines = [*blocks[:rails_configuration].map(&:text), *Pages.api_examples.values, *Pages.spans].grep(/^config\./)
    expect(lines.size).to be >= 4
    said = printed_by(<<~RUBY, REDIS_URL: url(6), directory: Dir.tmpdir)
      require "rails"
      require "action_controller/railtie"
      require "active_support/core_ext/integer/time" # as each app's config/environments/*.rb has
      require "ccache"
      #{lines.map { |line| line.sub(", …", "") }}.each do |line|
        Process.wait(fork do
          class App < Rails::Application
            config.root = Dir.mktmpdir
            config.eager_load = false
            config.secret_key_base = "none"
            config.logger = Logger.new(File::NULL)
          end
          App.class_eval(line)
          App.initialize!
          Rails.cache.write("key", [1])
          p [Rails.cache.class, Rails.cache.read("key"), Rails.cache.ccache.inspect.include?("127.0.0.1")]
        ensure
          FileUtils.rm_rf(App.config.root)
        end)
      end
    RUBY
    expected = lines.map { |line| "[ActiveSupport::Cache::CcacheStore, [1], #{line.include?("REDIS_URL")}]\n" }
    expect(said.lines).to eq(expected)
  end

  it "has API examples that are Ruby" do
    expect(Pages.api_examples.size).to be >= 8
    Pages.api_examples.each do |place, example|
      expect { RubyVM::InstructionSequence.compile(example) }.not_to raise_error, place
    end
  end

  it "has API examples that do what they say" do
    said = output_of(<<~RUBY)
      def load_settings = (@loads = @loads.to_i + 1) && {}
      #{Pages.api_examples.values.grep(/Store.new/).first}
      p store.stats[:loads], store.fetch("settings") { load_settings }.equal?(store.get("settings"))
      #{Pages.api_examples.values.grep(/PlainData/).first}
      p Ccache::PlainData.plain?([Money.new])
      p(#{Pages.api_examples.values.grep(/# => true/).first.sub(/#.*/, "")})
    RUBY
    expect(said).to eq("1\ntrue\ntrue\ntrue\n")
  end

  it "has a Rack middleware that answers for its page" do
    block, = blocks[:rack]
    said = output_of(<<~RUBY)
      require "rack"
      require "rack/mock"
      require "rack/builder"
      STORE = Ccache::Store.new
      RELEASE = "1"
      STORE.set("settings", "dark")
      app = Rack::Builder.new do
        #{block.text}
        run ->(env) { [200, {}, ["page of " + env.fetch("ccache.entries", {}).keys.inspect]] }
      end.to_app
      get = ->(path, tag = nil) { Rack::MockRequest.new(app).get(path, { "HTTP_IF_NONE_MATCH" => tag }.compact) }
      page = get.call("/settings")
      p page.status, page.body, page["cache-control"], get.call("/settings", page["etag"]).status
      p get.call("/other")["etag"], get.call("/other", page["etag"]).status
    RUBY
    expect(said).to eq(%(200\n"page of [\\"settings\\"]"\n"no-cache"\n304\nnil\n200\n))
  end

  context "of controllers, in a Rails app" do
    controller, = blocks[:controller]
    subscriber, = blocks[:subscriber]
    log, = blocks[:log]

    # Twelve reads, of which a server answers eleven with "not modified", and brings one value.
    let(:program) { <<~RUBY }
      require "rails"
      require "action_controller/railtie"
      require "action_view/railtie"
      require "rack/mock"
      require "ccache"
      LOG = StringIO.new
      class App < Rails::Application
        config.root = Dir.pwd
        config.eager_load = false
        config.secret_key_base = "none"
        config.hosts.clear
        config.action_dispatch.show_exceptions = false
        config.logger = ActiveSupport::Logger.new(LOG)
        config.action_controller.perform_caching = true
        config.cache_store = :ccache_store, { redis: ENV.fetch("REDIS_URL"), namespace: "docs" }
      end
      class ApplicationController < ActionController::Base
      end
      App.initialize!
      module STATS
        def self.count(name, number) = (@counts ||= Hash.new(0))[name] += number
        def self.counts = @counts
      end
      #{controller.text}
      class ReadsController < ActionController::Base
        def index
          11.times { Rails.cache.read("settings") }
          render plain: Rails.cache.read("theirs")
        end
      end
      Rails.application.routes.draw do
        get "show", to: "settings#show"
        get "index", to: "settings#index"
        get "reads", to: "reads#index"
      end
      get = lambda do |path, tag = nil|
        Rack::MockRequest.new(Rails.application).get(path, { "HTTP_IF_NONE_MATCH" => tag }.compact)
      end
      another = Ccache::Store.new(redis: ENV.fetch("REDIS_URL"), namespace: "docs")
      another.set("theirs", "brought")
      Rails.cache.write("settings", "dark")
      Rails.cache.write("menu", ["home"])
      %w[/show /index].each do |path|
        page = get.call(path)
        p [page.status, page.body.strip, page["Cache-Control"].to_s.include?("public"), get.call(path, page["ETag"]).status]
      end
      get.call("/reads")
      puts LOG.string.lines.grep(/Completed/).last
      #{subscriber.text}
      Rails.cache.read("settings") # who subscribes late is heard from the next request on
      get.call("/reads")
      p STATS.counts
    RUBY

    around do |example|
      Dir.mktmpdir do |directory|
        @directory = directory
        FileUtils.mkdir_p(File.join(directory, "app/views/settings"))
        File.write(File.join(directory, "app/views/settings/show.html.erb"), "theme: <%= @settings %>\n")
        example.run
      end
    end

    it "answers 304 where the page says so, logs the line that it shows, and tells of what did not have to come" do
      show, index, logged, counts = printed_by(program, REDIS_URL: url(5), directory: @directory).lines
      expect(show).to eq(%([200, "theme: dark", false, 304]\n))
      expect(index).to eq(%([200, "{\\"settings\\":\\"dark\\",\\"menu\\":[\\"home\\"]}", true, 304]\n))
      shown = Regexp.escape(log.text.strip).gsub("…", ".*").gsub(/\d+(?:\\\.\d+)?(?=ms)/, '[\d.]+')
      expect(logged.strip).to match(/\A#{shown}\z/)
      expect(counts).to match(/\A\{"cache.spared"\s?=>\s?[1-9]\d*\}\n\z/)
    end
  end

  it "has the program that crashes Ruby 3.1 by itself" do
    block, = blocks[:crash]
    Dir.mktmpdir do |directory|
      program = [{ "RUBYOPT" => nil }, RbConfig.ruby, "--disable-gems", "-W0", "-e", block.text]
      output, status = Open3.capture2e(*program, chdir: directory, rlimit_core: 0)
      crashed = output.include?("[BUG] try to mark T_NONE object")
      expect(crashed).to be(true) if RUBY_VERSION.start_with?("3.1.")
      expect(crashed || status.success?).to be(true), output
    end
  end

  it "has diagrams of what there is" do
    sources = Dir[File.join(Pages::ROOT, "{ext,lib}/**/*.{rs,rb}")].map { |file| File.read(file) }.join("\n")
    blocks[:diagram].each do |block|
      paths = block.text.scan(%r{\b(?:lib|ext)/\w+})
      names = block.text.scan(/\b(?:[A-Z][a-z]+[A-Z]\w+|Segment|Slots|Entry)\b/)
      expect(paths + names).not_to be_empty
      expect(paths.reject { |path| File.directory?(File.join(Pages::ROOT, path)) }).to eq([])
      expect(names.uniq.reject { |name| sources.match?(/\b(?:struct|class|enum|type) #{name}\b/) }).to eq([])
    end
  end

  it "names paths that there are" do
    # Of the platform gem, by rake fuzz, and by BENCH_QUICK=1.
    made = %w[lib/ccache/3.1/ccache.so fuzz/artifacts tmp/bench/quick]
    paths = Pages.spans.grep(%r{\A[\w.]+(?:/[\w.-]+)+\z})
    expect(paths.size).to be >= 10
    missing = (paths - made).reject do |path|
      Dir["{,ext/,lib/,bench/,spec/,docs/}{,**/}#{path}", base: Pages::ROOT].any?
    end
    expect(missing).to eq([])
  end

  it "shows a soak that prints what the soak prints" do
    block, = blocks[:soak]
    soak = File.read(File.join(Pages::ROOT, "spec/soak/soak.rb"))
    labels = block.text.scan(/^([a-z][A-Za-z _]+?)(?= after|:)/).flatten
    expect(labels).to include("what went on beside", "drift of RSS")
    expect(labels - %w[process server]).to all(satisfy { |label| soak.include?(label) })
  end

  context "of commands" do
    # Prerequisites of each task, as rake -P prints them.
    before(:context) do
      listed, status = Open3.capture2("rake", "-P", chdir: Pages::ROOT)
      raise "rake -P failed" unless status.success?

      @tasks = listed.split(/^rake /).drop(1).to_h { |task| task.split.then { |name, *needed| [name, needed] } }
    end

    # Tasks that CI's scripts name, and all that these need.
    def run_by_ci
      scripts = %w[.ci/run bin/test rakelib/checks.rake bin/matrix].map { |script| Pages.read(script) }.join("\n")
      reached = scripts.scan(/[a-z]\w*(?::\w+)*/).uniq & @tasks.keys
      reached.each { |task| reached.concat(@tasks.fetch(task) - reached) if @tasks.key?(task) }
    end

    # With tasks that a page names by themselves, as in "`rake spec`, `spec:railtie`".
    def commands
      Pages.commands | (Pages.spans & @tasks.keys).grep(/:/).map { |task| "rake #{task}" }
    end

    it "names none that nothing runs, but those that are listed with a reason" do
      expect(commands - DocumentedCommands.known).to eq([])
    end

    it "lists none that no page names" do
      wholes = DocumentedCommands::PART_OF.to_a.flatten
      expect(DocumentedCommands.known - wholes - commands).to eq([])
    end

    it "runs parts with what they are a part of" do
      expect(DocumentedCommands::PART_OF.values - DocumentedCommands::SHORT.keys - DocumentedCommands::CI).to eq([])
    end

    it "leaves to CI what CI runs" do
      tasks = DocumentedCommands::CI.grep(/\Arake /).map { |command| command.delete_prefix("rake ") }
      expect(tasks - run_by_ci).to eq([])
      scripts = DocumentedCommands::CI.grep(/\Abin/)
      expect(scripts.reject { |script| Pages.read(".ci/run").include?(script) }).to eq([])
    end
  end
end
