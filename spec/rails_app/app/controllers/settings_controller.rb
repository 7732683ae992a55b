# frozen_string_literal: true

class SettingsController < ActionController::Base
  skip_forgery_protection
  before_action { response.headers["X-Worker"] = Process.pid.to_s }
  etag { params[:who] }

  def index
    @settings = Setting.all_by_name
  end

  def conditional
    expires_in 60, public: true if params[:expires]
    request.variant = params[:variant].to_sym if params[:variant]
    @settings = fresh_when_cached("settings", etag: params[:etag], public: params.key?(:public))
    @settings ||= Setting.all_by_name unless performed?
  end

  def revision
    stale_cached?("settings", template: false) do |settings|
      settings ||= Setting.all_by_name
      render json: { revision: settings[Setting::REVISION][:value] }
    end
  end

  def theme
    theme = Rails.cache.fetch("theme") { Theme.new("dark") }
    render plain: "#{theme.title} #{theme.instance_of?(Theme)}"
  end

  # So many reads of which one is loaded.
  def many
    Setting.all_by_name
    params.fetch(:reads).to_i.times { Rails.cache.read("settings") }
    render inline: "<% Rails.cache.read('settings') %>page"
  end

  def update
    Setting.change(params[:name], params[:value])
    head :no_content
  end

  # An entry of its own that nobody will read again.
  def churn
    Rails.cache.write(params[:key], { bytes: params[:key] * 100 }, expires_in: 1)
    head :no_content
  end

  # What this worker is: its memory in KB, and all objects that it ever allocated.
  def worker
    GC.start if params[:gc]
    render json: { pid: Process.pid, resident: resident, allocated: GC.stat(:total_allocated_objects),
                   ccache: Gem.loaded_specs["ccache"]&.full_gem_path, loaded: $LOADED_FEATURES.grep(/ccache\.so/) }
  end

  private

  def resident
    File.read("/proc/self/status")[/^VmRSS:\s+(\d+)/, 1].to_i
  rescue Errno::ENOENT # not on Linux
    `ps -o rss= -p #{Process.pid}`.to_i
  end
end
