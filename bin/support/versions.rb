# frozen_string_literal: true

# Prints what a row of bin/matrix has: Ruby, Rails (in brackets if there is Active Support
# alone) and servers, with tabs between.
begin
  require "active_support/version"
  rails = ActiveSupport.version.to_s
  require "rails/version"
rescue LoadError
  rails = rails ? "(#{rails})" : "none"
end

servers = %w[Redis Valkey].filter_map do |name|
  output = `#{name.downcase}-server --version`
  "#{name} #{output[/v=([\d.]+)/, 1]}"
rescue Errno::ENOENT
  nil
end

puts [RUBY_VERSION, rails, servers.join(", ")].join("\t")
