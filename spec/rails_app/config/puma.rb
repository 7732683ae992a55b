# frozen_string_literal: true

bind "tcp://127.0.0.1:#{ENV.fetch("APP_PORT")}"
workers 2
threads 4, 4
environment "production"
worker_timeout 120

case ENV.fetch("APP_FORKS", "preload")
when "preload" then preload_app!
when "fork_worker"
  fork_worker 0 # the others are forked from a worker that serves
  preload_app! false # Puma 7 would, and has no phased restart then
end
