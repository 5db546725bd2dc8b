"""The ledger's closed trades: from its service (GET /perf/export, docs/dashboard.md), or a file it exported."""

from __future__ import annotations

import csv
import io
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quant.errors import BadData, NoData, QuantError, UsageError
from quant.live.trade import Trade
from runtime import clock, settings

TIMEOUT = 30.0
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9]")
_NEEDED = ("trade_id", "status", "engine", "symbol", "side", "entry", "exit", "r", "opened_ts", "closed_ts")


def fetched(url: str, engine: str) -> str:
    """The export as CSV. The token is PERF_TOKEN of the environment; on the service's own machine none is needed.

    Raises UsageError for what is no address, QuantError when the service cannot be asked or refuses.
    """
    base = (url or settings.PERF).rstrip("/")
    if not base.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is not an address", hint=f"as {settings.PERF}")
    query = urllib.parse.urlencode({"format": "csv", "status": "CLOSED", "engine": engine})
    request = urllib.request.Request(f"{base}/perf/export?{query}")  # noqa: S310 - its scheme was checked
    if token := settings.environment().get("PERF_TOKEN", "").strip():
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        hint = "give the service's token as PERF_TOKEN" if error.code == 401 else None
        raise QuantError(f"the ledger at {base} answered {error.code}", hint=hint) from None
    except (OSError, ValueError) as error:
        hint = "is its service running? --ledger FILE takes its CSV export instead"
        raise QuantError(f"the ledger at {base} cannot be asked: {error}", hint=hint) from None


def read(path: Path) -> str:
    """Raises UsageError when there is no such file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def closed(text: str, engine: str, symbol: str) -> list[Trade]:
    """Of that engine (whatever case) and symbol, oldest first. Raises BadData for another table, NoData for none."""
    rows = csv.DictReader(io.StringIO(text))
    if missing := [name for name in _NEEDED if name not in (rows.fieldnames or ())]:
        raise BadData(f"this is no export of the ledger: it has no column {', '.join(missing)}")
    all_closed = [row for row in rows if row["status"] == "CLOSED"]
    mine = [
        row for row in all_closed if row["engine"].upper() == engine.upper() and plain(row["symbol"]) == plain(symbol)
    ]
    if not mine:
        raise NoData(f"the ledger has no closed trade of {engine} in {symbol}", hint=_there_are(all_closed))
    return sorted(_trades(mine), key=lambda trade: trade.opened)


def plain(symbol: str) -> str:
    """BTC/USDT:USDT, BTCUSDT.P and BINANCE:BTCUSDT are one market by name."""
    text = symbol.upper()
    text = text.split(":")[0] if "/" in text else text.split(":")[-1].split(".")[0]
    return _NOT_IN_NAMES.sub("", text)


def _trades(rows: Iterable[Mapping[str, str]]) -> Iterator[Trade]:
    for row in rows:
        try:
            opened, ended = (round(clock.from_iso(row[name]).timestamp() * 1000) for name in ("opened_ts", "closed_ts"))
            entry, out = float(row["entry"]), float(row["exit"])
            r = float(row["r"]) if row["r"] else math.nan
        except ValueError as error:
            raise BadData(f"trade {row['trade_id']} of the ledger: {error}") from None
        yield Trade(row["side"].lower(), opened, ended, entry, out, r, row["trade_id"])


def _there_are(rows: Iterable[Mapping[str, str]]) -> str:
    found = sorted({f"{row['engine']} in {row['symbol']}" for row in rows})
    return f"it has {', '.join(found[:8])}" if found else "it has no closed trade at all"
