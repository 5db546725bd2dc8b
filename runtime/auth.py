"""Who may speak to a service."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from runtime import clock
from runtime.keys import Key, Secret

log = logging.getLogger("runtime.auth")


class Forbidden(Exception):
    """The key is missing or wrong; nothing else is said (403)."""


class Unauthorized(Exception):
    """A bearer token is needed from where this caller stands (401)."""


def matches(given: object, secret: Secret) -> bool:
    """True when `given` is the secret. The time taken tells neither where nor by how much they differ.

    Digests of the bytes are compared, so any text may be given: longer, non-ASCII, even lone surrogates.
    """
    if not isinstance(given, str):
        return False
    return hmac.compare_digest(_digest(given), _digest(secret.reveal()))


class Keyring:
    """The keys that open POST /tv."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = [(key, _digest(key.secret.reveal())) for key in keys]
        # Longest first: one key may be part of another.
        self.values = tuple(sorted((key.secret.reveal() for key, _ in self._keys), key=len, reverse=True))

    def check(self, given: object, now: datetime) -> str:
        """The name of the key that was given. Raises Forbidden, which tells an expired key from a wrong one to nobody.

        All keys are compared, so the time taken does not tell which of them matched.
        """
        digest, found = _digest(given) if isinstance(given, str) else bytes(32), None
        for key, wanted in self._keys:
            if hmac.compare_digest(digest, wanted):
                found = key
        if found is None:
            raise Forbidden
        if found.expires is not None and now >= found.expires:
            log.warning("refused: the key %s expired on %s", found.name, clock.iso(found.expires))
            raise Forbidden
        return found.name


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization: Bearer TOKEN` header (RFC 6750), or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


@lru_cache(maxsize=256)  # a tunnel's alerts all come from one address
def is_loopback(address: str | None) -> bool:
    """True for the machine itself: 127.0.0.0/8, ::1, and the same written as IPv4-mapped IPv6."""
    if address is None:
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def caller(peer: str | None, forwarded: str | None) -> str:
    """The address an alert came from.

    A tunnel agent on this machine appends the caller to X-Forwarded-For, so only the last value counts, and only when
    the peer is this machine. Anything that is not an address is ignored.
    """
    if is_loopback(peer) and forwarded:
        try:
            return str(ipaddress.ip_address(forwarded.rsplit(",", 1)[-1].strip()))
        except ValueError:
            pass
    return peer or "unknown"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
