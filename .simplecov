# frozen_string_literal: true

# Which lines of lib the specs run; spec/coverage.rb counts, and rake coverage:ruby prints.
SimpleCov.configure do
  add_filter { |file| !file.project_filename.start_with?("/lib/") }
  track_files "lib/**/*.rb"
  # Seconds after which a process' counts are forgotten.
  merge_timeout 7200
end
