# frozen_string_literal: true

require "open3"

# A root file system of bin/matrix that has a Ruby and a server, and nothing to build with.
class BareMachine
  ROOT = File.expand_path("../..", __dir__)
  HOME = "/opt/gems"

  def initialize(ruby)
    @name = "bare-ruby-#{ruby}"
  end

  # @return [Array(String, Process::Status)] what it printed, and how it ended
  def run(command, input = "")
    script = "export GEM_HOME=#{HOME}; #{command}"
    Open3.capture2e("bin/matrix", @name, "--", "sh", "-c", script, stdin_data: input, binmode: true, chdir: ROOT)
  end

  # What requiring the gem prints and how that ends, after a shell's command in its
  # lib/ccache, of which another one undoes the harm.
  def require_after(harm, undone)
    run("cd $GEM_HOME/gems/ccache-*/lib/ccache && #{harm} || exit; ruby -e 'require %(ccache)'; status=$?; " \
        "#{undone}; exit $status")
  end

  # In a GEM_HOME that has nothing else.
  def install(gem)
    run("rm -rf $GEM_HOME; cat >/tmp/ccache.gem && gem install --local --no-document /tmp/ccache.gem",
        File.binread(gem))
  end
end
