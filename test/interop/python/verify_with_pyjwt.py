"""Verifies a Sallyport access token with PyJWT and the published keys, without calling the server."""

from importlib.metadata import version

import jwt
from jwt import ExpiredSignatureError as Expired
from jwt import InvalidTokenError, PyJWKClient
from jwt import PyJWTError as Refused

__all__ = ["Expired", "Refused", "VERSION", "Verifier", "lax_snippets", "snippet"]

VERSION = f"PyJWT {version('PyJWT')}"


class Verifier:
    def __init__(self, url, audience, algorithm="RS256", jwks_url=None):
        # Keeps keys for five minutes, as the JWKS says, and fetches them at once for a new kid, which shows a rotation. The
        # cooldown keeps each invented kid from causing a fetch; by default it is 30 s.
        jwks_url = jwks_url or f"{url}/.well-known/jwks.json"
        self._keys = PyJWKClient(jwks_url, lifespan=300, cooldown_duration=1, timeout=10)
        self._algorithm = algorithm
        self._issuer = url
        self._audience = audience

    def verify(self, token):
        """Returns the claims, or raises Refused or its subclass Expired."""
        claims = jwt.decode(
            token,
            self._keys.get_signing_key_from_jwt(token),
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            options={"require": ["aud", "exp", "iss", "sub"]},
        )
        if claims.get("typ") != "access":
            raise InvalidTokenError("This is not an access token.")
        return claims


def snippet(url, token):
    """The shortest program. It checks only signature and expiry, not the audience, so use Verifier instead."""
    key = PyJWKClient(f"{url}/.well-known/jwks.json").get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})


def lax_snippets(url, token):
    """Hasty workarounds for a refused token. None of them may accept a refresh token."""
    lax = {"verify_aud": False, "verify_iss": False, "verify_exp": False, "verify_sub": False}
    keys = PyJWKClient(f"{url}/.well-known/jwks.json")
    yield lambda: jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], options=lax)
    for key in keys.get_signing_keys():
        yield lambda: jwt.decode(token, key, algorithms=["RS256", "HS256"], options=lax)
