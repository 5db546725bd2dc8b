"""One exchange through ccxt: at our pace, at the address that the settings say, and read by any number of threads.

ccxt's own retries and paging are not used: its `paginate` gives the last ten pages without a word and asks again at
once after 418 and 429.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from quant.candles import F64
from quant.config.market import Exchange
from quant.errors import ExchangeFailed, UsageError
from quant.fetch import ccxt_class, columns, limits
from quant.fetch.pace import Pace
from quant.fetch.session import Session
from runtime import clock

THREADS = 64
"""The most: Bybit's 120 requests a second with answers that take half a second."""
Kinds = dict[str, list[str]]
CONTRACT_KINDS: dict[str, Kinds] = {
    "binance": {"quote": ["linear"], "base": ["inverse"]},
    "bybit": {"quote": ["linear"], "base": ["inverse"]},
    "okx": {"quote": ["swap"], "base": ["swap"]},
    "bitget": {"quote": ["swap"], "base": ["swap"]},
}


class Answer(threading.local):
    """What this thread heard last: `status` None while there is no answer. `wants_bars`: it asked for candles; `cells`
    are then those of an answer that ccxt was given without them."""

    status: int | None = None
    headers: Mapping[str, str] = {}
    wants_bars = False
    cells: F64 | None = None


class Paced:
    """Put before ccxt's class. All that ccxt sends goes through `throttle`, all that comes back through the others."""

    if TYPE_CHECKING:
        id: str
        rateLimit: float
        urls: dict[str, Any]
        options: dict[str, Any]
        session: Any
        has: dict[str, Any]

        def parse_ohlcv(self, row: Any, market: Any) -> list[Any]: ...

    pace: Pace
    limits: limits.Limits
    answer: Answer
    reached = False
    by_table = True
    """Candles are taken out of answers as they come (`columns.taken`)."""

    def fetch_ohlcv(self, *given: Any, **named: Any) -> Any:
        self.answer.wants_bars = self.by_table and self.id in FAST
        try:
            return super().fetch_ohlcv(*given, **named)  # type: ignore[misc]
        finally:
            self.answer.wants_bars = False

    def throttle(self, cost: float | None = None) -> None:
        """Wait for this request's turn. Raises Stopped."""
        self.answer.status, self.answer.headers = None, {}
        seconds = self.limits.seconds(self.rateLimit, 1.0 if cost is None else cost)
        self.pace.wait(seconds, self.limits.slack)

    def on_rest_response(
        self, code: int, _reason: Any, _url: Any, _method: Any, headers: Any, body: str, *_: Any
    ) -> str:
        self.answer.status, self.answer.headers = code, headers
        self.reached = True
        return body.strip()

    def parse_json(self, text: str) -> Any:
        """ccxt takes a 200 that is no JSON (its end got lost) for a text, and its characters for candles."""
        table = columns.taken(text) if self.answer.wants_bars else None
        self.answer.cells = table and table.cells
        found = super().parse_json(table.answer if table else text)  # type: ignore[misc]
        if found is None and (self.answer.status or 0) < 300:
            raise ccxt_class.errors().BadResponse(f"{self.id} sent {len(text)} characters that are no JSON")
        return found

    def parse_ohlcvs(self, rows: Any, market: Any = None, *_: Any) -> Any:
        """All rows as they came: ccxt's own drops rows of None without a word. By columns where fetch_ohlcv ends with
        this, so that an array may be its result.
        """
        cells, self.answer.cells = self.answer.cells, None
        if self.id in FAST:
            found = columns.read(rows, lambda row: self.parse_ohlcv(row, market), cells)
            if found is not None:
                return found
        if cells is not None:  # it was not given the other rows: it is, when this is asked again
            self.by_table = False
            raise ccxt_class.errors().BadResponse(f"{self.id} sent rows that ccxt reads in another way")
        return [self.parse_ohlcv(row, market) for row in rows]


FAST = frozenset({"binance", "binanceusdm", "binancecoinm", "bybit", "bitget", "okx"})


def connect(settings: Exchange, name: str, symbol: str, pace: Pace) -> Any:
    """A client for exchange `name`, for questions about `symbol`. Asks nothing yet. Raises UsageError."""
    made = type("Client", (Paced, ccxt_class.load(name)), {})
    ccxt_class.errors()  # before threads ask for them
    client = made({"timeout": int(settings.timeout * 1000), "enableRateLimit": True})
    client.pace, client.answer = pace, Answer()
    client.limits = limits.of(name, contract=":" in symbol or name in ("binanceusdm", "binancecoinm"))
    client.has["fetchCurrencies"] = False  # load_markets would ask for them too
    _only_the_kind_of(client, symbol)
    client.session.close()
    client.session = Session(THREADS, client.session.headers)
    if settings.api_url:
        client.urls["api"] = elsewhere(client.urls["api"], settings.api_url)
    return client


def now(client: Any, ahead: int) -> int:
    """The exchange's time in ms: `ahead` is how far its clock is ahead of ours."""
    return int(clock.now().timestamp() * 1000) + ahead


def ahead(ask: Callable[..., Any], client: Any) -> int:
    """How many ms the exchange's clock is ahead of ours; 0 where it does not tell. Whether a bar is finished is judged
    by its clock: one of ours that is fast would take an unfinished bar for a finished one.
    """
    if not client.has["fetchTime"]:
        return 0
    before = clock.now().timestamp() * 1000
    try:
        theirs = int(ask("fetch_time"))
    except ExchangeFailed:
        return 0
    return int(theirs - (before + clock.now().timestamp() * 1000) / 2)


def elsewhere(urls: Any, base: str) -> Any:
    """Every address in ccxt's table at `base` instead, with its path. Raises UsageError."""
    if isinstance(urls, dict):
        return {name: elsewhere(url, base) for name, url in urls.items()}
    if urlsplit(base).scheme not in ("http", "https") or not urlsplit(base).netloc:
        raise UsageError(f"exchange.api_url {base!r} is no address", hint="http://127.0.0.1:8080, for example")
    return base.rstrip("/") + urlsplit(str(urls)).path


def _only_the_kind_of(client: Any, symbol: str) -> None:
    """Markets of other kinds are not asked for: each is an answer of megabytes."""
    kinds = CONTRACT_KINDS.get(client.id)
    if kinds is None:
        return
    base, _, rest = symbol.partition("/")
    settled = rest.partition(":")[2].partition("-")[0]
    wanted = kinds["base" if settled == base else "quote"] if settled else ["spot"]
    client.options["fetchMarkets"] = {"types": [*wanted, "future"] if wanted == ["swap"] and "-" in rest else wanted}
