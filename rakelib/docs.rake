# frozen_string_literal: true

namespace :docs do
  desc "Run the commands that the pages name, in a short form, in a fresh clone of HEAD"
  task commands: :compile do
    # By its name: what matches spec/**/*_spec.rb is run by rake spec.
    sh RbConfig.ruby, "-S", "rspec", "spec/clone/commands.rb"
  end
end
