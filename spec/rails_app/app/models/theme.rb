# frozen_string_literal: true

# A value object that the cache may share.
Theme = Struct.new(:name) do
  def title
    "the theme #{name}"
  end
end
