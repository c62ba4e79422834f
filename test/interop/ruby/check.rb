# frozen_string_literal: true

# Drives the client and the verifier against a live appliance.
#
# Prints `ok <check>` for each check that holds, and ends at the first `not ok <check>: <why>`. At the line `rotate` it
# waits until its caller has rotated the signing keys and writes a line. The table of libraries and algorithms uses
# `library <versions>` and `algorithm <name> …`.

require "securerandom"
require_relative "sallyport_client"
require_relative "sallyport_verifier"

$stdout.sync = true

URL = ENV.fetch("SALLYPORT_URL")
AUDIENCE = ENV.fetch("SALLYPORT_API_AUDIENCE")
OTHER_TENANT_URL = ENV.fetch("SALLYPORT_OTHER_TENANT_URL")
SHORT_LIVED_APP_ID = ENV.fetch("SALLYPORT_SHORT_LIVED_APP_ID")
ALGORITHM_APP_IDS = JSON.parse(ENV.fetch("SALLYPORT_ALGORITHM_APP_IDS"))

def check(name)
  yield
  puts "ok #{name}"
rescue StandardError => e
  puts "not ok #{name}: #{e.inspect}"
  exit 1
end

def expect(condition, otherwise)
  raise otherwise unless condition
end

def expect_refusal(kind = JWT::DecodeError)
  begin
    claims = yield
  rescue kind
    return
  end
  raise "took a token with #{claims}"
end

def decode(segment)
  JSON.parse(segment.tr("-_", "+/").unpack1("m"))
end

def encode(part)
  [JSON.generate(part)].pack("m0").tr("+/", "-_").delete("=")
end

def tampered(token)
  header, payload, signature = token.split(".")
  other = decode(payload).merge("sub" => "00000000-0000-7000-8000-000000000000")
  [
    "#{header}.#{encode(other)}.#{signature}",
    "#{header}.#{payload}.#{signature.start_with?("A") ? "B" : "A"}#{signature[1..]}",
    "#{encode(decode(header).merge("alg" => "none"))}.#{payload}.",
  ]
end

def kid_of(token)
  decode(token.split(".").first)["kid"]
end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def try_algorithm(algorithm, app_id, email, password)
  token = SallyportClient.new(URL, app_id).login(email, password)["access_token"]
  jwks_url = "#{URL}/v1/applications/#{app_id}/.well-known/jwks.json"
  verifier = SallyportVerifier.new(URL, "#{URL}/api/#{app_id}", algorithm: algorithm, jwks_url: jwks_url)
  begin
    verifier.verify(token)
  rescue JWT::DecodeError, JWT::RequiredDependencyError => e
    puts "algorithm #{algorithm} unsupported: #{e.message}"
    return
  end
  tampered(token).each { |other| expect_refusal { verifier.verify(other) } }
  puts "algorithm #{algorithm} verified"
end

puts "library ruby-jwt #{JWT.gem_version}"
email = "#{SecureRandom.hex(8)}@example.com"
password = SecureRandom.urlsafe_base64(24)
client = SallyportClient.new(URL)
verifier = SallyportVerifier.new(URL, AUDIENCE)
short_lived_verifier = SallyportVerifier.new(URL, "#{URL}/api/#{SHORT_LIVED_APP_ID}")
registered = signed_in = refreshed = short_lived = short_lived_until = nil

check("signs up") { registered = client.register(email, password) }

check("accepts a token that expires soon") do
  answer = SallyportClient.new(URL, SHORT_LIVED_APP_ID).login(email, password)
  short_lived = answer["access_token"]
  short_lived_until = now + answer["expires_in"]
  short_lived_verifier.verify(short_lived)
end

check("refuses another application's token") { expect_refusal(JWT::InvalidAudError) { verifier.verify(short_lived) } }

check("signs in") do
  signed_in = client.login(email, password)
  expect(signed_in["user"]["id"] == registered["user"]["id"], "another user")
end

check("refreshes") do
  refreshed = client.refresh(signed_in["refresh_token"])
  expect(refreshed["access_token"] != signed_in["access_token"], "the same token")
end

check("verifies by the root JWKS") do
  [registered, signed_in, refreshed].each do |answer|
    expect(verifier.verify(answer["access_token"])["sub"] == registered["user"]["id"], "another subject")
  end
end

check("verifies by the shortest snippet") do
  expect(SallyportVerifier.snippet(URL, refreshed["access_token"])["email"] == email, "another address")
end

check("refuses a tampered token") do
  tampered(refreshed["access_token"]).each do |token|
    expect_refusal { verifier.verify(token) }
    expect_refusal { SallyportVerifier.snippet(URL, token) }
  end
end

check("refuses another tenant's token") do
  theirs = SallyportClient.new(OTHER_TENANT_URL).register(email, password)["access_token"]
  SallyportVerifier.snippet(OTHER_TENANT_URL, theirs)
  expect_refusal { verifier.verify(theirs) }
  expect_refusal { SallyportVerifier.snippet(URL, theirs) }
end

check("refuses a refresh token, however lax") do
  expect_refusal { verifier.verify(refreshed["refresh_token"]) }
  expect_refusal { SallyportVerifier.snippet(URL, refreshed["refresh_token"]) }
  SallyportVerifier.lax_snippets(URL, refreshed["refresh_token"]).each { |verify| expect_refusal(&verify) }
end

check("survives a key rotation") do
  puts "rotate"
  expect($stdin.gets == "rotated\n", "nobody rotated the keys")
  deadline = now + 20
  after = client.login(email, password)["access_token"]
  while kid_of(after) == kid_of(refreshed["access_token"])
    expect(now < deadline, "new tokens are still signed by the old key")
    sleep 0.5
    after = client.login(email, password)["access_token"]
  end
  [after, refreshed["access_token"]].each do |token|
    expect(verifier.verify(token)["sub"] == registered["user"]["id"], "another subject")
  end
  expect(SallyportVerifier.snippet(URL, after)["email"] == email, "another address")
end

check("says which algorithms it verifies") do
  ALGORITHM_APP_IDS.each { |algorithm, app_id| try_algorithm(algorithm, app_id, email, password) }
end

check("refuses an expired token") do
  sleep([0, short_lived_until - now].max + 1)
  expect_refusal(JWT::ExpiredSignature) { short_lived_verifier.verify(short_lived) }
  expect_refusal(JWT::ExpiredSignature) { SallyportVerifier.snippet(URL, short_lived) }
end
