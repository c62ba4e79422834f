"""A backend that signs a token for a user of its own, with PyJWT and HS256, without a token exchange."""

import os
import time

import jwt

print(
    jwt.encode(
        {
            "iss": os.environ["SALLYPORT_API_KEY_ID"],
            "sub": os.environ["SALLYPORT_TENANT_ID"],
            "exp": int(os.environ.get("SALLYPORT_NOW") or time.time()) + 3600,
            "grants": {"identity": "user|42"},
        },
        os.environ["SALLYPORT_API_KEY_SECRET"],
        algorithm="HS256",
        headers={"typ": "JWT", "cty": "sallyport-fpa;v=1"},
    )
)
