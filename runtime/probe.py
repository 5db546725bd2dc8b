"""Proves that an address leads to this service and no other: both sides show that they have the operator's key.

The caller sends `X-Probe: NONCE.SIGNATURE`; only to one that is signed right does the service answer with its own
signature of the nonce. So a stranger gets nothing to guess keys with, and nobody else can answer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from runtime.keys import Secret

HEADER = "X-Probe"
_GIVEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")


def question(key: Secret) -> tuple[str, str]:
    """(the header's value, the answer that only one with the key can give)"""
    nonce = secrets.token_hex(16)
    return f"{nonce}.{_signed(key, 'ask', nonce)}", _signed(key, "answer", nonce)


def answer(key: Secret, given: str | None) -> str | None:
    """What to answer a header with; None: it was not signed with the key."""
    found = _GIVEN.fullmatch(given or "")
    if not found or not key.reveal() or not hmac.compare_digest(_signed(key, "ask", found[1]), found[2]):
        return None
    return _signed(key, "answer", found[1])


def _signed(key: Secret, what: str, nonce: str) -> str:
    return hmac.new(key.reveal().encode(), f"probe {what} {nonce}".encode(), hashlib.sha256).hexdigest()
