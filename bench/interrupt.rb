# frozen_string_literal: true

# How soon does a thread that waits for a server that hangs end, when it is killed,
# times out, or the process gets a Ctrl-C?

require "timeout"
require_relative "server"

TIMES = Bench.scaled(41, quick: 3)
TIMEOUT = 0.05

# A thread that waits for the server.
def waiting(store)
  thread = Thread.new { store.get("key") }
  thread.report_on_exception = false
  Thread.pass until thread.stop?
  sleep(rand / 20) # anywhere in its waiting
  thread
end

def kill(store)
  thread = waiting(store)
  Bench.seconds { thread.kill.join }
end

# What it takes beyond the time that was given.
def time_out(store)
  took = Bench.seconds do
    Timeout.timeout(TIMEOUT) { store.get("key") }
  rescue Timeout::Error
    nil
  end
  took - TIMEOUT
end

# A signal from outside; this thread waits for the server.
def interrupt(store)
  sent_at = nil
  sender = Thread.new do
    sleep(0.02 + (rand / 20))
    sent_at = Bench.now
    Process.kill(:INT, Process.pid)
  end
  begin
    store.get("key")
  rescue Interrupt
    ended_at = Bench.now
  end
  sender.join
  ended_at - sent_at
end

def milliseconds(seconds)
  format("%.1f", seconds * 1000)
end

WAYS = { "Thread#kill" => :kill, "Timeout, beyond its time" => :time_out, "Ctrl-C" => :interrupt }.freeze

Bench::Report.open("How soon does a wait for a server that hangs end?", Bench::Site.about,
                   "#{TIMES} times each, at any moment of the wait") do |report|
  times = Bench::Site.open do |site|
    store = site.store({ read_timeout: 60 })
    store.set("key", "value")
    store.get("key")
    site.paused { WAYS.transform_values { |way| Array.new(TIMES) { send(way, store) } } }
  end
  report.table(%w[milliseconds median longest],
               *times.map { |name, all| [name, milliseconds(Bench.median(all)), milliseconds(all.max)] })
  report.bars do
    report.bar("the longest of all, ms", times.values.flatten.max * 1000, at_most: 100.0)
  end
end
