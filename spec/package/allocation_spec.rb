# frozen_string_literal: true

# As the limits in docs/store.md and docs/architecture.md say.
RSpec.describe "An allocation of Rust's that fails" do
  # Where there is a limit that is kept.
  next unless File.exist?("/proc/self/status")

  it "ends the process, and raises nothing" do
    outcome = run_ruby(<<~RUBY)
      Process.setrlimit(:CORE, 0)
      size = File.read("/proc/self/status")[/^VmSize:\\s+(\\d+)/, 1].to_i * 1024
      Process.setrlimit(:AS, size + (100 * 1024 * 1024))
      store = Ccache::Store.new(max_entries: nil)
      key = "x" * 100_000
      begin
        5000.times { |number| store.set("\#{number}\#{key}", number) }
      ensure
        puts "not here"
      end
    RUBY
    expect(outcome.status.termsig).to eq(Signal.list.fetch("ABRT")), outcome.output
    expect(outcome.output).to match(/memory allocation of \d+ bytes failed/)
    expect(outcome.output).not_to include("not here")
  end
end
