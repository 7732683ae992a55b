# frozen_string_literal: true

# An interrupt at each point at which Ruby acts upon one: the end of a method, its own or a
# native one. (Ruby 3.1 looks for a kill before the result of a native method is assigned.)
#
# To see red: in lib/ccache/store/loading.rb let `_take_lease` say which lease it took.
RSpec.describe Ccache::Store, "loads that are interrupted" do
  # At the end of the method call of that number; true if there were so many.
  def interrupt(number, &block)
    count = 0
    trace = TracePoint.new(:c_return, :return) do
      raise Interrupt if (count += 1) == number
    end
    Thread.new do
      Thread.current.report_on_exception = false
      trace.enable(target_thread: Thread.current, &block)
      false
    rescue Interrupt
      true
    end.value
  end

  def expect_nothing_left(store, **options)
    points = (1..).take_while do |number|
      key = "key#{number}"
      was_interrupted = interrupt(number) { store.fetch(key, **options) { "loaded" } }
      expect(Ccache::Testing.leases(store)).to eq(0), "after call #{number}"
      expect(store.fetch(key, **options) { "again" }).to match(/loaded|again/)
      was_interrupted
    end
    points.size
  end

  it "leave no lease, and their key to others, in process" do
    expect(expect_nothing_left(described_class.new)).to be > 20
    expect(expect_nothing_left(described_class.new, skip_nil: true, expires_in: 60)).to be > 20
  end

  it "leave no lease, and their key to others, with a server" do
    expect(expect_nothing_left(remote)).to be > 40
    expect(expect_nothing_left(remote, lock: 600)).to be > 40
  end
end
