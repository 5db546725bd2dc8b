"""Kinds of settings that several roles share, each with its check and the words for when it is wrong."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

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


Port = Annotated[int, Field(ge=1, le=65535)]
ListenAddress = Annotated[str, AfterValidator(_listen_address)]
"""Where a service listens: 127.0.0.1, 0.0.0.0, or one address of the host."""
TimeZone = Annotated[str, AfterValidator(_zone)]


def answers_at(listen: str, port: int, address: str = LOOPBACK) -> str:
    """http://HOST:PORT of a service as seen from `address`: what listens everywhere answers there."""
    bound = ipaddress.ip_address(listen)
    shown = address if bound.is_unspecified else listen
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
