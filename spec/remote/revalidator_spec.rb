# frozen_string_literal: true

# What `stale_while_revalidate:` asks for behind the callers' backs.
#
# To see red: in lib/ccache/revalidator.rb mark the key before its job is queued.
RSpec.describe Ccache::Revalidator do
  let(:ran) { Thread::Queue.new }

  # Runs the block in a thread that another one kills at the event of that number; false if
  # there were fewer.
  def killed_at(number, &block)
    at_event, go = Array.new(2) { Thread::Queue.new }
    count = 0
    thread = Thread.new do
      trace = TracePoint.new(:line, :call, :return, :c_call, :c_return) do
        next unless Thread.current == thread && (count += 1) == number

        at_event << true
        go.pop
      end
      trace.enable(&block)
    ensure
      at_event << false
    end
    is_killed = at_event.pop
    thread.kill if is_killed
    go << true
    join(thread)
    is_killed
  end

  it "runs a job later, though whoever asked before was killed at any moment" do
    1.step do |number|
      revalidator = described_class.new
      was_killed = killed_at(number) { revalidator.ask(:store, "key") { ran << :first } }
      revalidator.ask(:store, "key") { ran << :second }
      expect(join(Thread.new { ran.pop }).first).to be_a(Symbol), "after a kill at event #{number}"
      ran.clear
      break unless was_killed
    end
  end

  it "tries again after there was no thread to be had" do
    revalidator = described_class.new
    group = ThreadGroup.new
    poor = Thread.new do
      group.add(Thread.current)
      group.freeze # whose threads start no others
      revalidator.ask(:store, "key") { ran << :first }
    end
    expect(join(poor)).to eq([nil])
    revalidator.ask(:store, "key") { ran << :second }
    expect(join(Thread.new { ran.pop })).to eq([:second])
  end

  it "goes on after a job that exits, or raises what is no StandardError" do
    revalidator = described_class.new
    [-> { exit }, -> { raise NotImplementedError }].each do |job|
      revalidator.ask(:store, "key") { ran << :begun and job.call }
      expect(ran.pop).to eq(:begun)
      eventually { revalidator.ask(:store, "key") { ran << :next } || ran.size.positive? }
      expect(ran.pop).to eq(:next)
      ran.clear
    end
  end

  it "can be ended at exit, though it was started where interrupts are held back" do
    program = <<~RUBY
      began = Thread::Queue.new
      Thread.handle_interrupt(Object => :never) { Ccache::Revalidator.current.ask(:store, "key") { began << 1; sleep } }
      began.pop
    RUBY
    pid = Process.spawn(RbConfig.ruby, "-I", Processes::LIBRARY, "-r", "ccache", "-e", program)
    eventually { Process.wait(pid, Process::WNOHANG) }
    expect(Process.last_status).to be_success
  end
end
