# frozen_string_literal: true

require "rbs"
require_relative "../rails/rails_stores"

# sig/rails.rbs against the real class.
RSpec.describe "The Rails store's signatures" do
  let(:definition) do
    loader = RBS::EnvironmentLoader.new
    loader.add(path: Pathname(File.expand_path("../../sig", __dir__)))
    builder = RBS::DefinitionBuilder.new(env: RBS::Environment.from_loader(loader).resolve_type_names)
    name = builder.env.class_decls.keys.find { |known| known.to_s == "::ActiveSupport::Cache::CcacheStore" }
    builder.build_instance(name)
  end

  it "name every public method that is not Rails' alone, and none that is not there" do
    store = ActiveSupport::Cache.lookup_store(:ccache_store).class
    parts = store.included_modules.select { |part| part.name&.start_with?("Ccache::") }
    own = [store, *parts].flat_map { |part| part.public_instance_methods(false) }
    declared = definition.methods.select do |_, method|
      method.public? && method.defined_in == definition.type_name
    end
    expect(declared.keys - [:initialize]).to match_array(own.uniq)
  end
end
