"""What exchanges allow, where ccxt is more careful than they are or says nothing.

Sources, by the names of their pages: Binance, "Limits" and "Kline/Candlestick Data" (6,000 weight a minute spot, 2 a
request of up to 1,000; futures 2,400 a minute, 2 for up to 499 bars, 5 for up to 1,000); Bybit v5, "Rate Limit" (600
requests in 5 s for an address); Bitget v2, "Get Candlestick Data", "Get History Candlestick Data" (20 a second; 1,000
recent bars, 200 older ones); OKX v5, "Get candlesticks", "Get candlesticks history" (40 and 20 requests in 2 s, 300
bars). Written down without asking the pages again; a limit that is lower there shows as 429s, which are waited for.
ccxt spaces
Binance's futures two times, Bybit's twelve times and OKX's 1.1 times as far apart as that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DAY_MS = 86_400_000
MARGIN = 0.98
SHORT = 0.965
"""Of what is allowed. Requests arrive less evenly than they went: where the exchange counts over a second or two, some
hundredths of one matter.
"""
LATEST = 0.1
RECENT = 1000
HISTORY = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """`speed`: times the rate ccxt goes by. `window`: seconds that the exchange counts over. `margin`: the part of what
    it allows that we use. `rows`: in one answer, at the best rate. `days`: longest window asked for. `funding_rows`: of
    funding rates in one answer.
    """

    speed: float = 1.0
    rows: int | None = None
    window: float = 1.0
    margin: float = MARGIN
    days: int | None = None
    funding_rows: int = 100

    def seconds(self, rate_limit: float, cost: float) -> float:
        """From a request of `cost` to the next one; `rate_limit` is ccxt's, in ms for a cost of 1."""
        return rate_limit / 1000 * cost / (self.speed * self.margin)

    @property
    def slack(self) -> float:
        """Seconds that a late request may be made up for: half of what the margin leaves in a window."""
        return min(LATEST, (1 - self.margin) * self.window / 2)


SPOT = {
    "binance": Limits(1, 1000, 60),
    "bybit": Limits(12, 1000, 5),
    "bitget": Limits(1, RECENT, 1, SHORT),
    "okx": Limits(1.1, 300, 2, SHORT),
}
CONTRACTS = {
    "binance": Limits(2, 499, 60, days=200, funding_rows=1000),
    "binanceusdm": Limits(2, 499, 60, funding_rows=1000),
    "binancecoinm": Limits(2, 499, 60, days=200, funding_rows=1000),
    "bybit": Limits(12, 1000, 5, funding_rows=200),
    "bitget": Limits(1, RECENT, 1, SHORT, days=90),
    "okx": Limits(1.1, 300, 2, SHORT),
}


def of(exchange: str, *, contract: bool) -> Limits:
    """ccxt's own rate for an exchange that is not in the tables."""
    return (CONTRACTS if contract else SPOT).get(exchange, Limits())


def rows(client: Any, limits: Limits, symbol: str, timeframe: str, start: int, now: int) -> int:
    """How many bars one answer holds, for a window that begins at `start`."""
    if client.id == "bitget" and start <= now - (_recent_days(client, timeframe) - 1) * DAY_MS:
        return HISTORY
    return limits.rows or _of_ccxt(client, symbol) or HISTORY


def _of_ccxt(client: Any, symbol: str) -> int | None:
    found = client.feature_value(symbol, "fetchOHLCV", "limit")
    return int(found) if found else None


def _recent_days(client: Any, timeframe: str) -> int:
    """ccxt turns to the exchange's history beyond these."""
    return int(client.options["fetchOHLCV"]["maxRecentDaysPerTimeframe"].get(timeframe, 0))
