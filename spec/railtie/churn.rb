# frozen_string_literal: true

require_relative "http_client"
require_relative "visitors"

# Requests that change what the cache holds, by clients in threads: of a hundred each one
# changes a setting, and ten write entries that nobody reads again; the rest are pages.
class Churn
  def initialize(site, clients: 8)
    @site = site
    @clients = clients
    @sent = 0
    @lock = Thread::Mutex.new
  end

  # Goes on until so many requests were answered in all.
  #
  # @return [Hash{Integer => Integer}] each worker's resident memory in KB
  def up_to(count)
    Array.new(@clients) { Thread.new { send_some while next_number(count) } }.each(&:join)
    @site.about_workers("?gc=1").slice(*@site.workers).transform_values { |about| about["resident"] }
  end

  private

  # A connection's worth.
  def send_some
    client = @site.client
    50.times { answer(client, next_number, rand(100)) }
  ensure
    client.close
  end

  def next_number(limit = nil)
    @lock.synchronize { limit ? @sent < limit : @sent += 1 }
  end

  def answer(client, number, kind)
    response =
      case kind
      when 0 then client.post("#{Visitors::CHANGE}#{number}")
      when 1..10 then client.post("/churn/#{number}")
      else client.get(Visitors::PATH)
      end
    raise "#{response.status}: #{response.body[%r{<header.*<h2.*?</h2>}m]}" unless [200, 204].include?(response.status)
  end
end
