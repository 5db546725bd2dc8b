"""Kinds of settings that several roles share, each with its check and the words for when it is wrong."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, SecretStr

LOOPBACK = "127.0.0.1"


def _listen_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(
            f'"{value}" is not an IP address; 127.0.0.1 for this host only, 0.0.0.0 for everyone'
        ) from None


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'"{name}" is not a time zone; write one such as America/Montreal or Etc/UTC') from None
    return name


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise ValueError(f'"{value}" is neither an IP address nor a network; 10.0.0.5 or 10.0.0.0/24') from None


Port = Annotated[int, Field(ge=1, le=65535)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
"""Where a service listens: 127.0.0.1, 0.0.0.0, or one address of the host."""
Network = Annotated[str, AfterValidator(_network)]
"""An address, or many: what a unit's IPAddressAllow takes."""
TimeZone = Annotated[str, AfterValidator(_zone)]


def _database_url(value: SecretStr) -> SecretStr:
    """The unit may reach one address only, and systemd takes no names for it."""
    expected = "expected postgresql://USER:PASSWORD@ADDRESS/DATABASE, or postgresql:///DATABASE?host=/run/postgresql"
    try:
        url = urlsplit(value.get_secret_value())
        named = url.scheme == "postgresql" and url.path.strip("/") != "" and value.get_secret_value().isprintable()
        host = database_address(value)
    except ValueError:
        raise ValueError(f"{expected}; the server by its IP address") from None
    if not named or (host is None and not parse_qs(url.query).get("host", [""])[0].startswith("/")):
        raise ValueError(expected)
    return value


def database_address(url: SecretStr | None) -> str | None:
    """The IP address of a database's server; None when no network is needed. Raises ValueError for a name."""
    parts = urlsplit(url.get_secret_value()) if url is not None else None
    if parts is None or not parts.hostname:
        return None
    return LOOPBACK if parts.hostname == "localhost" else str(ipaddress.ip_address(parts.hostname))


DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
"""A PostgreSQL database. It holds a password, so it is a secret as a whole."""


def answers_at(listen: str, port: int, address: str = LOOPBACK) -> str:
    """http://HOST:PORT of a service as seen from `address`: what listens everywhere answers there."""
    bound = ipaddress.ip_address(listen)
    shown = address if bound.is_unspecified else listen
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


TRADINGVIEW = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""Where TradingView sends alerts from; `runtime.gate` has the same (tests/ops/test_tunnel_role.py holds them equal)."""


def _sender(text: str) -> str:
    if text != "tradingview":
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValueError("is no address or network; tradingview stands for its published ones") from None
    return text


Sender = Annotated[str, AfterValidator(_sender)]
"""Who may send alerts: tradingview, an address, or a network."""
