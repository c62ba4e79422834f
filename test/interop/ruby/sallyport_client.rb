# frozen_string_literal: true

require "json"
require "net/http"

# Signs users up and in over raw REST. Without an application id it uses the default application, which signs RS256.
# Every answer holds access_token, expires_in (seconds), refresh_token and user.
class SallyportClient
  # A refusal by Sallyport. `code` is stable and meant for programs, the message is meant for people.
  class Refused < StandardError
    attr_reader :code

    def initialize(status, error)
      super("#{status} #{error["code"]}: #{error["message"]} (request #{error["request_id"]})")
      @code = error["code"]
    end
  end

  def initialize(url, application_id = nil)
    @url = url
    @headers = { "content-type" => "application/json" }
    @headers["x-application-id"] = application_id if application_id
  end

  def register(email, password)
    post("/v1/auth/register", { email: email, password: password })
  end

  def login(email, password)
    post("/v1/auth/login", { email: email, password: password })
  end

  # Spends the refresh token. Replace it with the one in the answer.
  def refresh(refresh_token)
    post("/v1/auth/refresh", { refresh_token: refresh_token })
  end

  private

  def post(path, body)
    uri = URI(@url + path)
    options = { use_ssl: uri.scheme == "https", open_timeout: 10, read_timeout: 10 }
    response = Net::HTTP.start(uri.host, uri.port, **options) { |http| http.post(uri.path, body.to_json, @headers) }
    answer = JSON.parse(response.body)
    raise Refused.new(response.code, answer["error"]) if response.code.to_i >= 400

    answer
  end
end
