# frozen_string_literal: true

# Prints what a row of bin/matrix has: Ruby, Rails and servers, with tabs between.
rails = begin
  require "active_support/version"
  ActiveSupport.version.to_s
rescue LoadError
  "none"
end

servers = %w[Redis Valkey].filter_map do |name|
  output = `#{name.downcase}-server --version`
  "#{name} #{output[/v=([\d.]+)/, 1]}"
rescue Errno::ENOENT
  nil
end

puts [RUBY_VERSION, rails, servers.join(", ")].join("\t")
