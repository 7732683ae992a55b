# frozen_string_literal: true

require "etc"
require_relative "../../spec/support/servers"

module Bench
  # What the figures of a run depend on: every section and every chart says it.
  module Environment
    PEERS = %w[activesupport concurrent-ruby lru_redux puma redis].freeze

    class << self
      # @return [Hash{String => Object}]
      def to_h
        { "ruby" => "Ruby #{RUBY_VERSION}, #{jit}", "machine" => machine, "seed" => SEED,
          "versions" => ["ccache #{Ccache::VERSION}", *gems, *server] }
      end

      def line
        to_h.values_at("ruby", "machine").join("; ") + "; seed #{SEED}"
      end

      def machine
        "#{processor}, #{Etc.nprocessors} CPUs, #{Etc.uname.values_at(:sysname, :release, :machine).join(" ")}"
      end

      # @return [String, nil] nil if none is installed
      def server
        binary = Server.installed.first or return
        "#{File.basename(binary)} #{IO.popen([binary, "--version"], &:read)[/v=(\S+)/, 1]}"
      end

      private

      def jit
        kind = RUBY_DESCRIPTION[/\+(\w*JIT)/, 1]
        kind ? "with #{kind}" : "no JIT"
      end

      def gems
        Gem.loaded_specs.values_at(*PEERS).compact.map { |gem| "#{gem.name} #{gem.version}" }
      end

      def processor
        File.foreach("/proc/cpuinfo").grep(/\Amodel name/).first&.split(": ")&.last&.strip || "unknown processor"
      rescue SystemCallError
        "unknown processor"
      end
    end
  end
end
