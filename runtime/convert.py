"""From a variable's text to a value. Each raises ValueError saying what was expected."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from runtime.keys import Secret

Language = Literal["fr", "en"]


def timezone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone; expected a name like America/Montreal") from None


def reversal(text: str) -> str:
    value = text.lower()
    if value not in {"close", "keep"}:
        raise ValueError("expected close or keep")
    return value


def equity(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value <= 0:
        raise ValueError("expected a finite amount above 0")
    return value


def seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 366 * 86_400:
        raise ValueError("expected seconds, from 0 to a year")
    return value


def days(text: str) -> float:
    return between(text, 0, 36_525)


def megabytes(text: str) -> int:
    """In bytes."""
    return int(between(text, 0, 1_000_000) * 1_000_000)


def log_format(text: str) -> Literal["text", "json"]:
    if text == "text" or text == "json":
        return text  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected text or json")


def whole(text: str) -> int:
    return int(between(text, 1, 100_000))


def between(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}")
    return value


def url(text: str) -> str:
    """Plain HTTP: the ledger is on this machine, and asks nobody here for a token."""
    url = urlsplit(text)
    if url.scheme != "http" or not url.hostname or url.query or (url.port or 80) < 1:
        raise ValueError("expected something like http://127.0.0.1:8010")
    return text


def place(text: str) -> Path | Secret:
    expected = ValueError("expected postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:////PATH/OF/FILE")
    try:
        url = urlsplit(text)
    except ValueError:
        raise expected from None
    if url.scheme == "sqlite" and not url.netloc and url.path.startswith("//"):
        return Path(url.path[1:])
    if url.scheme not in ("postgresql", "postgres") or url.path.strip("/") == "":
        raise expected
    return Secret(text)


def forwarded(text: str) -> Literal["alerts", "all"]:
    if text == "alerts" or text == "all":
        return text  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected alerts or all")


def opposite(text: str) -> Literal["close", "reject"]:
    if text == "close" or text == "reject":
        return text  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected close or reject")


def language(text: str) -> Language:
    value = text.lower()
    if value == "fr" or value == "en":
        return value  # type: ignore[return-value,unused-ignore]
    raise ValueError("expected fr or en")


def port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError("expected a port from 0 to 65535 (0: any free one)")
    return port
