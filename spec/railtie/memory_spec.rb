# frozen_string_literal: true

require_relative "puma_site"
require_relative "churn"

# `rake rails:memory` is the same at length.
#
# To see red: in the app's `churn` keep what was written in an Array.
RSpec.describe "The memory of the app's workers" do
  requests = Integer(ENV.fetch("REQUESTS", "12000"))
  first = requests / Integer(ENV.fetch("REQUESTS_RATIO", "2"))
  bar = Float(ENV.fetch("GROWTH", "1.10"))

  it "does not grow with the requests, however the cache's content changes", limit: 3600 do
    redis = Server.new
    site = PumaSite.new(redis: redis.url)
    churn = Churn.new(site)
    before = churn.up_to(first)
    after = churn.up_to(requests)
    growth = after.to_h { |pid, kilobytes| [pid, kilobytes.fdiv(before.fetch(pid))] }
    RSpec.configuration.reporter.message(
      "  after #{first} and #{requests} requests: #{before.values} and #{after.values} KB, " \
      "#{growth.values.map { |ratio| ratio.round(3) }} times"
    )
    expect(growth.size).to eq(PumaSite::WORKERS)
    expect(growth.values).to all(be <= bar)
  ensure
    site&.stop
    redis&.stop
  end
end
