# frozen_string_literal: true

# name, value, description
class Setting < ActiveRecord::Base
  COUNT = 2000
  REVISION = "setting.1000"

  # All of them, by name; from the cache.
  #
  # `lock:` is the store's own: what a process reads from the database before a change
  # does not come into the cache after it.
  def self.all_by_name
    Rails.cache.fetch("settings", expires_in: 3600, lock: 10) { load_all }
  end

  def self.load_all
    pluck(:name, :value, :description).to_h { |name, value, about| [name, { value: value, about: about }] }
  end

  def self.change(name, value)
    find_by!(name: name).update!(value: value)
    Rails.cache.delete("settings")
  end

  # The table with its rows, where there is none.
  def self.prepare
    connection.execute("PRAGMA journal_mode = WAL")
    connection.create_table(:settings) do |table|
      table.string :name, index: { unique: true }
      table.string :value
      table.string :description
    end
    random = Random.new(1)
    insert_all(Array.new(COUNT) do |i|
      { name: format("setting.%04d", i), value: "0", description: random.bytes(100).unpack1("H*") }
    end)
  end
end
