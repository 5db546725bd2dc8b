"""What went wrong with a request, whether asking again can help, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from quant.errors import ExchangeFailed
from quant.fetch import ccxt_class
from runtime import clock

TOO_MANY = (418, 429)
REFUSED = (401, 403, 407, 451)
PASSING = (*TOO_MANY, 408, 425)
UNREADABLE = (TypeError, KeyError, ValueError, AttributeError, IndexError)
"""ccxt reads an answer that is not what the exchange's documents say with these."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Failure:
    """`passing`: the same request may succeed later. `crowded`: we (or our neighbours) ask too much.
    `retry_after`: seconds, when the exchange says.
    """

    words: str
    hint: str
    passing: bool
    crowded: bool = False
    retry_after: float | None = None

    def pause(self, attempt: int) -> float:
        """Seconds before attempt `attempt` + 1; the exchange's word counts, else they double: 0.5, 1, 2, ... 60."""
        return self.retry_after or min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)

    def error(self, exchange: str) -> ExchangeFailed:
        return ExchangeFailed(f"{exchange} {self.words}", hint=self.hint)


def of(error: Exception, status: int | None, headers: Mapping[str, str], timeout: float) -> Failure:
    """Retried are ccxt's OperationFailed without a refusing status, any 5xx, 429 and 418, and what cannot be read."""
    ccxt = ccxt_class.errors()
    if status in TOO_MANY or isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection):
        return _crowded(status, headers)
    if isinstance(error, ccxt.RequestTimeout) and status is None:
        return Failure(f"gave no answer within {timeout:g} s", "ask again later, or set exchange.timeout", True)
    if status is None and isinstance(error, ccxt.NetworkError):
        return Failure(f"cannot be reached at {_host(str(error))}", UNREACHABLE, True)
    if status == 403 and "too frequent" in str(error):
        return Failure(BANNED, "ask again later", True, True, BYBIT_BAN)
    if status in REFUSED:
        return Failure(f"refuses us (HTTP {status})", "some exchanges refuse some countries and networks", False)
    if (status or 0) >= 500 or status in PASSING:
        words = f"is out of order (HTTP {status})"
        return Failure(words, "ask again later", True, retry_after=_retry_after(headers))
    if isinstance(error, (ccxt.BadResponse, *UNREADABLE)):
        return Failure(f"sent what cannot be read: {_short(error)}", "ask again later", True)
    passing = isinstance(error, ccxt.OperationFailed) and (status or 200) < 400
    return Failure(f"refuses: {_short(error)}", "what was asked stands in the message", passing)


BANNED = "has shut us out for too many requests (HTTP 403)"
BYBIT_BAN = 600.0
"""Seconds: Bybit v5, "Rate Limit", says ten minutes and sends no Retry-After."""
UNREACHABLE = "is the network up, and exchange.api_url right when it is set?"


def _crowded(status: int | None, headers: Mapping[str, str]) -> Failure:
    words = "asks for fewer requests" if status != 418 else "has shut us out for too many requests"
    return Failure(f"{words} (HTTP {status})", "ask again later", True, True, _retry_after(headers))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date: RFC 9110, 10.2.3."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - clock.now()).total_seconds())
    except (TypeError, ValueError):
        return None


def _host(text: str) -> str:
    found = re.search(r"https?://[^/\s]+", text)
    return found[0] if found else "its address"


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
