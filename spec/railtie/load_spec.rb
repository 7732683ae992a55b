# frozen_string_literal: true

require_relative "puma_site"
require_relative "visitors"

# The app under Puma, with the gem that was built, while settings change.
#
# To see red: in the app's Setting leave out the `delete`, or take `max_age: 1`.
RSpec.describe "The app under Puma" do
  # Printed, since they are the point of the longer runs.
  def report(what, figures)
    RSpec.configuration.reporter.message("  #{what}: #{figures}")
  end

  def visited(site, **options)
    Visitors.new(site.port, **options)
  end

  # So that it tries the server again at other times than the others.
  def hold_up(worker)
    Process.kill(:STOP, worker)
    sleep 0.7
  ensure
    Process.kill(:CONT, worker)
  end

  changes = Integer(ENV.fetch("CHANGES", "200"))

  context "with a server" do
    before(:context) do
      @redis = Server.new
      @site = PumaSite.new(redis: @redis.url)
    end

    after(:context) do
      @site&.stop
    ensure
      @redis&.stop
    end

    it "runs the installed gem, not the source tree", limit: 1800 do
      about = @site.about_workers.values
      expect(about.size).to eq(PumaSite::WORKERS)
      places = about.flat_map { |worker| [worker["ccache"], *worker["loaded"]] }
      expect(places).to all(start_with("#{InstalledGem.home}/"))
      expect(about.map { |worker| worker["loaded"].size }).to all(eq(1))
    end

    it "shows every change to every request that began after it", limit: 1800 do
      visitors = visited(@site)
      figures = visitors.during { changes.times { visitors.change } }
      report("#{changes} changes", figures)
      expect(figures).to have_attributes(stale: 0, errors: 0)
      expect(figures.workers.keys).to match_array(@site.workers.map(&:to_s))
      expect(figures.pages).to be > changes
    end

    it "shows no wrong page when a worker is killed, and gets another one", limit: 1800 do
      killed = @site.workers.first
      seconds = nil
      visitors = visited(@site)
      figures = visitors.during do
        visitors.change
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        Process.kill(:KILL, killed)
        @site.until_true("a new worker serves") do
          visitors.change
          (visitors.workers.keys - [killed.to_s]).size >= PumaSite::WORKERS
        end
        seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
      end
      report("a worker killed, the next one serving after #{seconds.round(2)} s", figures)
      expect(figures.stale).to eq(0)
    end

    it "shows no wrong page, and no error, when the server stops, and uses it again", limit: 1800 do
      seconds = nil
      visitors = visited(@site)
      figures = visitors.during do
        5.times { visitors.change }
        @redis.kill
        20.times { visitors.change }
        hold_up(@site.workers.first)
        20.times { visitors.change }
        @redis.start
        started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        @site.until_true("the cache is used again") do
          visitors.change
          @redis.calls("getrange").positive?
        end
        seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
        50.times { visitors.change }
      end
      report("the server stopped and started, in use again after #{seconds.round(2)} s", figures)
      expect(figures).to have_attributes(stale: 0, errors: 0)
    end
  end

  it "shows no wrong page while workers are replaced in phases, forked from one that serves", limit: 1800 do
    redis = Server.new
    site = PumaSite.new(redis: redis.url, forks: "fork_worker")
    before = site.workers
    visitors = visited(site)
    seconds = nil
    figures = visitors.during do
      5.times { visitors.change }
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      site.signal(:USR1)
      site.until_true("all workers are new") do
        visitors.change
        (site.workers & before).empty? && site.workers.size == PumaSite::WORKERS
      end
      site.about_workers
      seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
      5.times { visitors.change }
    end
    report("a phased restart in #{seconds.round(2)} s", figures)
    expect(figures.stale).to eq(0)
    expect(figures.workers.size).to be > PumaSite::WORKERS
  ensure
    site&.stop
    redis&.stop
  end

  it "would show stale pages with MemoryStore", limit: 1800 do
    site = PumaSite.new(redis: nil, cache: "memory")
    visitors = visited(site)
    figures = visitors.during { 50.times { visitors.change } }
    report("MemoryStore, for contrast", figures)
    expect(figures.stale).to be > 0
  ensure
    site&.stop
  end
end
