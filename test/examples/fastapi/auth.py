"""`CurrentUser`, for routes that need a signed-in user: the claims of the request's access token."""

import os
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from revocations import Revocations

ISSUER = os.environ["SALLYPORT_URL"]
AUDIENCE = os.environ["SALLYPORT_API_AUDIENCE"]

# Keeps keys for five minutes, and fetches them at once for a new kid, which shows a rotation. The cooldown keeps each
# invented kid from causing a fetch.
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=300, cooldown_duration=1, timeout=5)
revocations = Revocations(f"{ISSUER}/v1/revocations")
bearer = HTTPBearer(auto_error=False)


class Refused(HTTPException):
    """An error in the format of the appliance's own errors."""

    def __init__(self, code, message, status=401, kind="authentication_error", headers=None):
        detail = {"code": code, "message": message, "type": kind, "request_id": None, "details": None}
        super().__init__(status, detail, headers or {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def verify(token: str) -> dict:
    claims = jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["RS256"],
        issuer=ISSUER,
        audience=AUDIENCE,
        options={"require": ["aud", "exp", "iat", "iss", "sub"]},
    )
    # The same keys sign ID tokens, which must not pass as access tokens.
    if claims.get("typ") != "access":
        raise jwt.InvalidTokenError("typ is not access")
    return claims


# Not async, because it may fetch keys. FastAPI runs functions that are not async in a thread.
def current_user(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> dict:
    if credentials is None:
        raise Refused("authentication_required", "This needs an access token.", headers={"WWW-Authenticate": "Bearer"})
    try:
        claims = verify(credentials.credentials)
    except jwt.PyJWKClientConnectionError as error:
        raise Refused("overloaded", "Try again shortly.", 503, "api_error", {"Retry-After": "5"}) from error
    except jwt.ExpiredSignatureError as error:
        raise Refused("token_expired", "The token has expired.") from error
    except jwt.PyJWTError as error:
        raise Refused("authentication_required", "The token does not hold.") from error
    if revocations.refuse(claims):
        raise Refused("token_revoked", "The session of this token has ended.")
    return claims


CurrentUser = Annotated[dict, Depends(current_user)]
