# frozen_string_literal: true

require "rbs"

# sig/ccache.rbs against the real classes. Examples tagged :mistyped pass on
# purpose what no signature allows, or count what the checks allocate or call.
RSpec.describe "Signatures" do
  root = File.expand_path("../..", __dir__)

  environment = lambda do
    loader = RBS::EnvironmentLoader.new
    loader.add(path: Pathname(root).join("sig"))
    RBS::Environment.from_loader(loader).resolve_type_names
  end

  builder = RBS::DefinitionBuilder.new(env: environment.call)
  classes = builder.env.class_decls.keys.select { |name| name.to_s.start_with?("::Ccache") }

  # Public methods that are defined in the class itself, documented or not, or in a part of
  # it that has a file of its own.
  def own_methods(constant)
    parts = constant == Ccache::Store ? [constant, Ccache::Store::Resizing] : [constant]
    parts.flat_map { |part| part.public_instance_methods(false) } - %i[deadlocks_on?]
  end

  def declared(definition, name)
    definition.methods.select { |_, method| method.defined_in == name && method.public? }.keys
  end

  classes.each do |name|
    describe name.to_s do
      let(:constant) { Object.const_get(name.to_s) }
      let(:instance) { builder.build_instance(name) }
      let(:singleton) { builder.build_singleton(name) }

      it "has every public method declared, and declares none that is not there" do
        declared = declared(instance, name) - [:initialize]
        expect(declared).to match_array(own_methods(constant) - [:initialize])
      end

      it "has every declared class method" do
        own = declared(singleton, name) - [:new]
        expect(own).to all(satisfy { |method| constant.respond_to?(method) })
      end

      it "has the declared keywords and arguments, where the method is Ruby's" do
        declared(instance, name).each do |method|
          real = constant.instance_method(method).parameters
          next if real == [[:rest]] || real.any? { |kind, *| kind == :keyrest } || method == :initialize

          types = instance.methods[method].method_types.map(&:type)
          expect(types.flat_map { |type| type.optional_keywords.keys }.uniq)
            .to match_array(real.filter_map { |kind, key| key if kind == :key }), method.to_s
          expect(types.map { |type| type.required_positionals.size }.min)
            .to eq(real.count { |kind, *| kind == :req }), method.to_s
        end
      end
    end
  end

  environment = { "RBS_TEST_TARGET" => "Ccache::*", "RBS_TEST_OPT" => "-I #{root}/sig", "RBS_TEST_RAISE" => "true",
                  "RBS_TEST_LOGLEVEL" => "error" }

  it "hold for every call of the store's specs" do
    # Not by RUBYOPT: RBS' own warnings would be in what the specs' programs print.
    command = [RbConfig.ruby, "-W:no-experimental", "-rrbs/test/setup", "-Ilib", "-S", "rspec", "--tag", "~mistyped",
               "--no-color", "spec/ccache"]
    output, status = Open3.capture2e(environment, *command, chdir: root)
    expect(status).to be_success, output
    expect(output).to match(/[1-9]\d+ examples, 0 failures/)
  end

  it "are checked in that run: a wrong call fails it" do
    program = "Ccache::Store.new.entry(1)"
    command = [RbConfig.ruby, "-Ilib", "-rrbs/test/setup", "-rccache", "-e", program]
    output, status = Open3.capture2e(environment, *command, chdir: root)
    expect(status).not_to be_success
    expect(output).to include("expected `::Ccache::key` (key) but given `1`")
  end
end
