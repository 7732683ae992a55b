# frozen_string_literal: true

require "timeout"

# A warning that names a file of this project is a failure; so is one of a gem's method that
# a file of this project has called.
module RaiseWarnings
  ROOT = File.expand_path("..", __dir__)
  # Frames between that file and here: the method, Kernel#warn and what RubyGems puts before it.
  NEAR = 6

  def warn(message, category: nil, **)
    ours = message.include?(ROOT) || (category && caller(1, NEAR).any? { |frame| frame.start_with?(ROOT) })
    ours ? raise(message) : super
  end
end
Warning.extend(RaiseWarnings)

# Every kind of warning that this Ruby has (3.3: performance, 3.4: strict_unused_block).
%i[deprecated performance strict_unused_block].each do |category|
  Warning[category] = true
rescue ArgumentError # of a later Ruby
  next
end

Dir[File.join(__dir__, "support/*.rb")].each { |file| require file }
require "ccache"

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.expect_with(:rspec) { |expectations| expectations.max_formatted_output_length = 500 }
  config.example_status_persistence_file_path = "spec/examples.txt"
  config.include Garbage
  config.include Waiting
  config.include Processes
  config.include Servers
  config.include RemoteStores

  config.after do
    remote_stores.each(&:close)
    own_servers.each(&:stop)
  end

  # The whole suite again with a minor collection at every allocation: GC_STRESS=1.
  config.around do |example|
    # Ends what hangs, and is far longer than anything takes on a busy machine.
    limit = example.metadata.fetch(:limit, Scale.small? || Scale.deep? ? 1200 : 300)
    Timeout.timeout(limit) { Scale.stressed? ? Garbage.stressing { example.run } : example.run }
  end
end
