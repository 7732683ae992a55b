# frozen_string_literal: true

# The specs with the app under Puma are part of the others; these are the same at length.
namespace :rails do
  desc "Change a setting CHANGES times (2,000 by default) while clients read, and look for a stale page"
  task load: :compile do
    environment = { "CHANGES" => ENV.fetch("CHANGES", "2000") }
    sh environment, RbConfig.ruby, "-S", "rspec", "spec/railtie/load_spec.rb"
  end

  desc "Send REQUESTS (100,000 by default) to the app, and hold its memory to that after a tenth of them"
  task memory: :compile do
    environment = { "REQUESTS" => ENV.fetch("REQUESTS", "100000"), "REQUESTS_RATIO" => "10",
                    "GROWTH" => ENV.fetch("GROWTH", "1.05") }
    sh environment, RbConfig.ruby, "-S", "rspec", "spec/railtie/memory_spec.rb"
  end
end
