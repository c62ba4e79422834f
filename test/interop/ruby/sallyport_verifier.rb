# frozen_string_literal: true

require "json"
require "jwt"
require "net/http"

# Verifies access tokens with ruby-jwt and the published keys, without calling the server.
class SallyportVerifier
  KEPT_FOR = 300 # seconds, as the JWKS says

  def initialize(url, audience, algorithm: "RS256", jwks_url: "#{url}/.well-known/jwks.json")
    @issuer = url
    @audience = audience
    @algorithm = algorithm
    @jwks_url = jwks_url
    @lock = Mutex.new
  end

  # Returns the claims, or raises JWT::DecodeError or its subclass JWT::ExpiredSignature.
  def verify(token)
    claims, = JWT.decode(
      token, nil, true,
      algorithms: [@algorithm],
      jwks: method(:keys),
      # Without the verify_… options, ruby-jwt does not check iss and aud, whatever their values.
      iss: @issuer, verify_iss: true,
      aud: @audience, verify_aud: true,
      # Without this, it accepts a token that never expires.
      required_claims: %w[aud exp iss sub]
    )
    raise JWT::InvalidPayload, "this is not an access token" unless claims["typ"] == "access"

    claims
  end

  # The shortest program. It checks only signature and expiry, not the audience, so use verify instead.
  def self.snippet(url, token)
    jwks = JSON.parse(Net::HTTP.get(URI("#{url}/.well-known/jwks.json")))
    JWT.decode(token, nil, true, algorithms: ["RS256"], jwks: jwks).first
  end

  # Hasty workarounds for a refused token. None of them may accept a refresh token.
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

  # ruby-jwt calls again, with kid_not_found, for a new kid, which shows a rotation. Anybody can invent a kid, so the keys are
  # fetched at most once a second.
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
