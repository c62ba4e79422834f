"""Verifies a Sallyport access token with python-jose and the published keys, without calling the server.

python-jose tries the keys of a set in order, whatever the kid, and fails at the first key of another type: with an EdDSA
key before the RSA key, a valid RS256 token ends in `JWKError: Expected: 'RSA', Received: OKP`. Therefore
/.well-known/jwks.json holds only keys of one algorithm, and <issuer>/oauth2/jwks, which holds all keys, does not work here.
"""

import time
from importlib.metadata import version

import httpx
from jose import jwt
from jose.exceptions import ExpiredSignatureError as Expired
from jose.exceptions import JOSEError as Refused
from jose.exceptions import JWTClaimsError

__all__ = ["Expired", "Refused", "VERSION", "Verifier", "lax_snippets", "snippet"]

VERSION = f"python-jose {version('python-jose')}"


class Verifier:
    def __init__(self, url, audience, algorithm="RS256", jwks_url=None):
        self._jwks_url = jwks_url or f"{url}/.well-known/jwks.json"
        self._algorithm = algorithm
        self._issuer = url
        self._audience = audience
        self._jwks = {"keys": []}
        self._fetched_at = float("-inf")

    def verify(self, token):
        """Returns the claims, or raises Refused or its subclass Expired."""
        claims = jwt.decode(
            token,
            self._keys_for(jwt.get_unverified_header(token).get("kid")),
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            # Without these, python-jose accepts a token that lacks the claim.
            options={"require_aud": True, "require_exp": True, "require_sub": True},
        )
        if claims.get("typ") != "access":
            raise JWTClaimsError("This is not an access token.")
        return claims

    def _keys_for(self, kid):
        """Fetches the keys, which python-jose does not do: every five minutes, as the JWKS says, and at once for a new kid,
        which shows a rotation. It fetches at most once a second, because anybody can invent a kid."""
        age = time.monotonic() - self._fetched_at
        is_known = any(key.get("kid") == kid for key in self._jwks["keys"])
        if age > 300 or (age > 1 and not is_known):
            self._jwks = httpx.get(self._jwks_url, timeout=10).raise_for_status().json()
            self._fetched_at = time.monotonic()
        return self._jwks


def snippet(url, token):
    """The shortest program. It checks only signature and expiry, not the audience, so use Verifier instead."""
    jwks = httpx.get(f"{url}/.well-known/jwks.json").json()
    claims = jwt.decode(token, jwks, algorithms=["RS256"], options={"verify_aud": False})
    return claims


def lax_snippets(url, token):
    """Hasty workarounds for a refused token. None of them may accept a refresh token."""
    jwks = httpx.get(f"{url}/.well-known/jwks.json").json()
    lax = {"verify_aud": False, "verify_iss": False, "verify_exp": False, "verify_sub": False}
    yield lambda: jwt.decode(token, jwks, algorithms=["RS256"], options=lax)
    yield lambda: jwt.decode(token, jwks, options=lax)
    for key in jwks["keys"]:
        yield lambda: jwt.decode(token, key, algorithms=["RS256", "HS256"], options=lax)
