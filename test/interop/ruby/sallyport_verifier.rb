# frozen_string_literal: true

require "json"
require "jwt"
require "net/http"

# Verifies access tokens with ruby-jwt, by the published keys and without asking the server.
class SallyportVerifier
  KEPT_FOR = 300 # seconds, as the JWKS says

  def initialize(url, audience, algorithm: "RS256", jwks_url: "#{url}/.well-known/jwks.json")
    @issuer = url
    @audience = audience
    @algorithm = algorithm
    @jwks_url = jwks_url
    @lock = Mutex.new
  end

  # Returns the claims, or raises JWT::DecodeError (JWT::ExpiredSignature is one kind of it).
  def verify(token)
    claims, = JWT.decode(
      token, nil, true,
      algorithms: [@algorithm],
      jwks: method(:keys),
      # Without the verify_… ruby-jwt does not look at iss and aud, whatever is given for them.
      iss: @issuer, verify_iss: true,
      aud: @audience, verify_aud: true,
      # Without this it takes a token that never expires.
      required_claims: %w[aud exp iss sub]
    )
    raise JWT::InvalidPayload, "this is no access token" unless claims["typ"] == "access"

    claims
  end

  # The shortest program: signature and expiry only. It does not ask whom the token is for, so use verify.
  def self.snippet(url, token)
    jwks = JSON.parse(Net::HTTP.get(URI("#{url}/.well-known/jwks.json")))
    JWT.decode(token, nil, true, algorithms: ["RS256"], jwks: jwks).first
  end

  # The same with what somebody in a hurry may try when a token is refused. None may take a refresh token.
  def self.lax_snippets(url, token)
    jwks = JSON.parse(Net::HTTP.get(URI("#{url}/.well-known/jwks.json")))
    any_key = jwks["keys"].map { |key| JWT::JWK.import(key).keypair }
    lax = { algorithms: %w[RS256 HS256], verify_expiration: false }
    [
      -> { JWT.decode(token, nil, true, **lax, jwks: jwks) },
      -> { JWT.decode(token, nil, true, **lax) { any_key } },
      *any_key.map { |key| -> { JWT.decode(token, key.to_pem, true, **lax) } },
    ]
  end

  private

  # ruby-jwt asks again, with kid_not_found, for a kid that is new, which is how a rotation shows. Anybody can make up a kid,
  # so the keys are fetched no more than once a second.
  def keys(options)
    @lock.synchronize do
      age = @fetched_at ? now - @fetched_at : Float::INFINITY
      if age > KEPT_FOR || (options[:kid_not_found] && age > 1)
        @jwks = fetch
        @fetched_at = now
      end
      @jwks
    end
  end

  def fetch
    response = Net::HTTP.get_response(URI(@jwks_url))
    response.value # raises unless it is a 2xx
    JSON.parse(response.body)
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end
