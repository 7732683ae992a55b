# frozen_string_literal: true

Rails.application.routes.draw do
  get "page", to: "settings#index"
  get "conditional", to: "settings#conditional"
  get "revision", to: "settings#revision"
  get "theme", to: "settings#theme"
  get "many", to: "settings#many"
  get "worker", to: "settings#worker"
  post "settings/:name", to: "settings#update", constraints: { name: /.+/ }
  post "churn/:key", to: "settings#churn"
end
