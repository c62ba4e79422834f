"""Revocations: tokens are verified without a call to the server, and those of ended sessions are still refused."""

import json
import logging
import threading
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.error import HTTPError
from urllib.request import urlopen

POLL_EVERY = 10  # seconds, the longest delay of a sign-out
CLAIMS = {"sid": "sid", "jti": "jti", "sub": "sub", "application": "azp"}

logger = logging.getLogger(__name__)


class Revocations:
    """The list of `GET /v1/revocations`. The first token checked after ten seconds reads it again."""

    def __init__(self, url: str):
        self._url = url
        self._entries = {}
        self._cursor = "0"
        self._due = 0.0
        self._lock = threading.Lock()

    def refuse(self, claims: dict) -> bool:
        with self._lock:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + POLL_EVERY
                self._catch_up()
            named = [(kind, digest(claims[claim])) for kind, claim in CLAIMS.items() if claim in claims]
            entries = [self._entries.get(name) for name in [*named, "tenant"]]
        return any(entry and claims["iat"] < until(entry) for entry in entries)

    def _catch_up(self):
        try:
            while self._read_page():
                pass
        except (OSError, ValueError) as error:
            # Tokens live only for minutes, so an unreachable appliance does not sign all users out.
            logger.warning("revocations could not be read: %s", error)

    def _read_page(self) -> bool:
        try:
            with urlopen(f"{self._url}?cursor={self._cursor}", timeout=5) as answer:
                page = json.load(answer)
        except HTTPError as error:
            # An appliance restored from a backup does not know the cursor. Starts again, and keeps the known entries.
            restart = error.code == 400 and self._cursor != "0"
            if not restart:
                raise
            self._cursor = "0"
            return True
        for entry in page["data"]:
            name = "tenant" if entry["kind"] == "tenant" else (entry["kind"], entry["digest"])
            self._entries[name] = entry
        self._entries = {name: entry for name, entry in self._entries.items() if entry["expires_at"] > time.time()}
        self._cursor = page["next_cursor"]
        return len(page["data"]) > 0


def digest(identifier: str) -> str:
    return urlsafe_b64encode(sha256(identifier.encode()).digest()).rstrip(b"=").decode()


def until(entry: dict) -> int:
    """Returns the second before which tokens are refused. An ended session never returns, so its last second counts too."""
    return entry["issued_before"] + (entry["kind"] in ("sid", "jti"))
