"""Drives the client and one verifier against a live appliance: `python check.py verify_with_jose`.

Prints `ok <check>` for each check that holds, and ends at the first `not ok <check>: <why>`. At the line `rotate` it
waits until its caller has rotated the signing keys and writes a line. The table of libraries and algorithms uses
`library <versions>` and `algorithm <name> …`.
"""

import base64
import importlib
import json
import os
import secrets
import sys
import time
from contextlib import contextmanager

from sallyport_client import SallyportClient

URL = os.environ["SALLYPORT_URL"]
AUDIENCE = os.environ["SALLYPORT_API_AUDIENCE"]
OTHER_TENANT_URL = os.environ["SALLYPORT_OTHER_TENANT_URL"]
SHORT_LIVED_APP_ID = os.environ["SALLYPORT_SHORT_LIVED_APP_ID"]
ALGORITHM_APP_IDS = json.loads(os.environ["SALLYPORT_ALGORITHM_APP_IDS"])

library = importlib.import_module(sys.argv[1])


@contextmanager
def check(name):
    try:
        yield
    except Exception as error:
        print(f"not ok {name}: {error!r}", flush=True)
        sys.exit(1)
    print(f"ok {name}", flush=True)


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_refusal(verify, kind=library.Refused):
    try:
        claims = verify()
    except kind:
        return
    raise AssertionError(f"took a token with {claims}")


def encode(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def decode(segment):
    return json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))


def tampered(token):
    header, payload, signature = token.split(".")
    other = decode(payload) | {"sub": "00000000-0000-7000-8000-000000000000"}
    yield f"{header}.{encode(other)}.{signature}"
    yield f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    yield f"{encode(decode(header) | {'alg': 'none'})}.{payload}."


def kid_of(token):
    return decode(token.split(".")[0])["kid"]


def try_algorithm(algorithm, app_id):
    token = SallyportClient(URL, app_id).login(email, password)["access_token"]
    jwks_url = f"{URL}/v1/applications/{app_id}/.well-known/jwks.json"
    verifier = library.Verifier(URL, f"{URL}/api/{app_id}", algorithm, jwks_url)
    try:
        verifier.verify(token)
    except library.Refused as error:
        print(f"algorithm {algorithm} unsupported: {error}", flush=True)
        return
    for other in tampered(token):
        expect_refusal(lambda: verifier.verify(other))
    print(f"algorithm {algorithm} verified", flush=True)


email, password = f"{secrets.token_hex(8)}@example.com", secrets.token_urlsafe(24)
client = SallyportClient(URL)
verifier = library.Verifier(URL, AUDIENCE)
print(f"library {library.VERSION}", flush=True)

with check("signs up"):
    registered = client.register(email, password)

with check("accepts a token that expires soon"):
    answer = SallyportClient(URL, SHORT_LIVED_APP_ID).login(email, password)
    short_lived = answer["access_token"]
    short_lived_until = time.monotonic() + answer["expires_in"]
    short_lived_verifier = library.Verifier(URL, f"{URL}/api/{SHORT_LIVED_APP_ID}")
    short_lived_verifier.verify(short_lived)

with check("refuses another application's token"):
    expect_refusal(lambda: verifier.verify(short_lived))

with check("signs in"):
    signed_in = client.login(email, password)
    expect(signed_in["user"]["id"] == registered["user"]["id"], "another user")

with check("refreshes"):
    refreshed = client.refresh(signed_in["refresh_token"])
    expect(refreshed["access_token"] != signed_in["access_token"], "the same token")

with check("verifies by the root JWKS"):
    for answer in (registered, signed_in, refreshed):
        expect(verifier.verify(answer["access_token"])["sub"] == registered["user"]["id"], "another subject")

with check("verifies by the shortest snippet"):
    expect(library.snippet(URL, refreshed["access_token"])["email"] == email, "another address")

with check("refuses a tampered token"):
    for token in tampered(refreshed["access_token"]):
        expect_refusal(lambda: verifier.verify(token))
        expect_refusal(lambda: library.snippet(URL, token))

with check("refuses another tenant's token"):
    theirs = SallyportClient(OTHER_TENANT_URL).register(email, password)["access_token"]
    library.snippet(OTHER_TENANT_URL, theirs)
    expect_refusal(lambda: verifier.verify(theirs))
    expect_refusal(lambda: library.snippet(URL, theirs))

with check("refuses a refresh token, however lax"):
    expect_refusal(lambda: verifier.verify(refreshed["refresh_token"]))
    for verify in library.lax_snippets(URL, refreshed["refresh_token"]):
        expect_refusal(verify)

with check("survives a key rotation"):
    print("rotate", flush=True)
    expect(sys.stdin.readline() == "rotated\n", "nobody rotated the keys")
    deadline = time.monotonic() + 20
    after = client.login(email, password)["access_token"]
    while kid_of(after) == kid_of(refreshed["access_token"]):
        expect(time.monotonic() < deadline, "new tokens are still signed by the old key")
        time.sleep(0.5)
        after = client.login(email, password)["access_token"]
    expect(verifier.verify(after)["sub"] == registered["user"]["id"], "another subject")
    expect(verifier.verify(refreshed["access_token"])["sub"] == registered["user"]["id"], "another subject")
    expect(library.snippet(URL, after)["email"] == email, "another address")

with check("says which algorithms it verifies"):
    for algorithm, app_id in ALGORITHM_APP_IDS.items():
        try_algorithm(algorithm, app_id)

with check("refuses an expired token"):
    time.sleep(max(0, short_lived_until - time.monotonic()) + 1)
    expect_refusal(lambda: short_lived_verifier.verify(short_lived), library.Expired)
    expect_refusal(lambda: library.snippet(URL, short_lived), library.Expired)
