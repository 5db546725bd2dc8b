"""Who may speak to a service."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress

from runtime.settings import Secret


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


def bearer(header: str | None) -> str | None:
    """The token of an `Authorization: Bearer TOKEN` header (RFC 6750), or None."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


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
