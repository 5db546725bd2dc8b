"""What may come in through a tunnel: alerts, and the question that proves where the tunnel leads. Nothing else.

A tunnel's agent runs on this machine and says in X-Forwarded-For whom it speaks for. Pages, figures and operators'
commands are for this machine and its network: through the tunnel they are not even asked for a key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal

from runtime import auth, probe
from runtime.keys import Secret

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = Mapping[bytes, bytes]
Forwarded = Literal["alerts", "all"]

ALERTS = ("POST", "/tv")
HEALTH = "/health"
TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""Where TradingView sends alerts from, as its help pages on webhooks list them."""


def networks(text: str) -> tuple[Network, ...]:
    """`tradingview`, addresses and networks, separated by commas. Raises ValueError."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    named = [address for word in words for address in (TRADINGVIEW if word == "tradingview" else (word,))]
    return tuple(ipaddress.ip_network(one) for one in named)


class Gate:
    """`sources`: who may send alerts through the tunnel; none: anybody who has a key. `forwarded` "all": no gate."""

    def __init__(self, key: Secret, sources: tuple[Network, ...], forwarded: Forwarded = "alerts") -> None:
        self._key = key
        self._sources = sources
        self._open = forwarded == "all"

    def refusal(self, method: str, path: str, peer: str | None, headers: Headers) -> str | None:
        """Why this request may not come in; None: it may. `headers`: the last line of each."""
        told = headers.get(b"x-forwarded-for")
        if told is None or not auth.is_loopback(peer):
            return None
        if (method, path) == ALERTS:
            return self._of_stranger(auth.caller(peer, told.decode("latin-1")))
        if self._open or (path == HEALTH and self._is_probe(headers)):
            return None
        return "only alerts come in through the tunnel"

    def _of_stranger(self, address: str) -> str | None:
        if not self._sources:
            return None
        sender = _parsed(address)
        if sender is not None and any(sender in network for network in self._sources):
            return None
        return f"alerts are not taken from {address}"

    def _is_probe(self, headers: Headers) -> bool:
        given = headers.get(probe.HEADER.lower().encode())
        return probe.answer(self._key, given.decode("latin-1") if given else None) is not None


def _parsed(address: str) -> Address | None:
    """An IPv4 address that came as an IPv6 one is itself."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
