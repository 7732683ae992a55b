# frozen_string_literal: true

# To see red: put a `warn` or an unused variable into any file of lib.
RSpec.describe "Loading ccache" do
  it "prints nothing, whatever the Ruby warns of" do
    expect(output_of("require 'ccache'")).to eq("")
  end

  it "prints nothing and works where all string literals are frozen" do
    program = "store = Ccache::Store.new; store['key'] = 'value'; print store['key']"
    command = [RbConfig.ruby, *Processes::WARNINGS, "--enable-frozen-string-literal", "--debug-frozen-string-literal"]
    output, status = Open3.capture2e(*command, "-I", Processes::LIBRARY, "-r", "ccache", "-e", program)
    expect([output, status.success?]).to eq(["value", true])
  end
end
