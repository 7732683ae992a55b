# frozen_string_literal: true

module Bench
  # All benches, in the order of the page, with what each one is for.
  SUITE = {
    "In one process" => {
      read_hit: "Measure how long a read that hits takes, beside other caches",
      write: "Measure how long a write takes, beside other caches",
      minor_gc: "Measure how long a minor GC pauses after an insert into a large cache",
      memory: "Measure how many bytes an entry takes beside its key and value",
      drop: "Measure how long the pause is when a large cache is dropped"
    },
    "Under a bound" => {
      bounded: "Measure what a bound costs a read and a write",
      churn: "Measure memory, pauses and the slowest writes while fresh keys push out old ones",
      resize: "Measure how much memory a store gives back when it is made smaller",
      simulate: "Count the hits of the eviction policy beside other caches' (TRACES=folder for recorded traces)"
    },
    "With a server" => {
      validated_hit: "Measure how long a read takes that a server validates, beside one that transfers and decodes",
      value_size: "Measure whether a validated read costs the same however large the value is",
      threads: "Measure how many validated reads threads get from one store, and how many commands that takes",
      multi: "Measure how long a hundred validated reads take at once, beside one",
      interrupt: "Measure how soon a wait for a server that hangs ends when its thread is wanted elsewhere",
      outage: "Measure how many fetches there are while the server is down, or the block raises"
    },
    "In Rails" => {
      rails: "Measure how long Rails.cache.read takes, beside Rails' own stores",
      rails_app: "Measure how many pages a Rails app serves that needs all its settings, by its cache store"
    }
  }.freeze

  NAMES = SUITE.values.flat_map(&:keys).freeze
end
