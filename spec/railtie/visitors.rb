# frozen_string_literal: true

require_relative "http_client"

# Clients that read the page, each in a thread, while an administrator changes a setting:
# one number after the other. A page that was asked for after a change was done, and shows
# an older number, is stale.
class Visitors
  PATH = "/page"
  CHANGE = "/settings/setting.1000?value="

  # Pages seen, those that were stale, requests that failed; pages by worker.
  Figures = Struct.new(:pages, :stale, :errors, :workers) do
    def to_s
      "#{pages} pages by #{workers.size} workers, #{stale} stale, #{errors} errors"
    end
  end

  attr_reader :done

  def initialize(port, clients: 8)
    @port = port
    @done = 0 # the number of the last change that was done
    @lock = Thread::Mutex.new
    @figures = Figures.new(0, 0, 0, Hash.new(0))
    @clients = clients
  end

  # Reads as long as the block runs.
  #
  # @return [Figures]
  def during
    stop = false
    threads = Array.new(@clients) { Thread.new { read until stop } }
    yield self
    @figures
  ensure
    stop = true
    threads.each { |thread| thread.join(30) or raise "a client hangs: #{thread.backtrace.first(3)}" }
  end

  # The next number is the setting's. A change whose answer got lost is made again.
  def change
    client = HttpClient.new(@port)
    number = @done + 1
    response = client.post("#{CHANGE}#{number}")
    raise "#{response.status}: #{response.body[0, 500]}" unless response.status == 204

    @done = number
  rescue *HttpClient::LOST
    retry
  ensure
    client.close
  end

  # How many pages have been seen.
  def pages
    @lock.synchronize { @figures.pages }
  end

  # @return [Hash{String => Integer}]
  def workers
    @lock.synchronize { @figures.workers.dup }
  end

  private

  # A connection's worth: the next one may be another worker's.
  def read
    client = HttpClient.new(@port)
    20.times { see(client) }
  rescue *HttpClient::LOST
    @lock.synchronize { @figures.errors += 1 }
    sleep 0.01
  ensure
    client.close
  end

  def see(client)
    at_least = @done
    response = client.get(PATH)
    number = response.body[/revision (\d+)/, 1]
    @lock.synchronize do
      next @figures.errors += 1 unless response.status == 200 && number

      @figures.pages += 1
      @figures.workers[response.worker] += 1
      @figures.stale += 1 if number.to_i < at_least
    end
  end
end
