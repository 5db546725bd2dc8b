"""Which market of the exchange is meant, and what it can be asked."""

from __future__ import annotations

import difflib
from typing import Any

from quant.errors import UsageError
from quant.timeframe import Timeframe

NEAREST = 5


def find(client: Any, symbol: str) -> dict[str, Any]:
    """ccxt's market of `symbol`, a unified name (BTC/USDT, BTC/USDT:USDT), or one that means only one market here: the
    exchange's own (BTCUSDT), or a perpetual without what settles it. Raises UsageError with the nearest names.
    """
    if symbol in client.markets:
        return dict(client.markets[symbol])
    meant = [market for market in client.markets.values() if symbol in _other_names(market)]
    if len(meant) == 1:
        return dict(meant[0])
    names = [market["symbol"] for market in meant] or _near(client, symbol)
    hint = f"did you mean {', '.join(names)}?" if names else f"{client.id} has {len(client.markets)} others"
    raise UsageError(f"{client.id} has no symbol {symbol!r}", hint=hint)


def require_timeframe(client: Any, timeframe: Timeframe) -> None:
    """Raises UsageError with what the exchange has."""
    if timeframe.text not in client.timeframes:
        raise UsageError(
            f"{client.id} has no candles of {timeframe}", hint=f"it has {', '.join(map(str, client.timeframes))}"
        )


def _other_names(market: dict[str, Any]) -> set[str]:
    names = {str(market["id"])}
    if market["swap"]:
        names.add(f"{market['base']}/{market['quote']}")
    return names


def _near(client: Any, symbol: str) -> list[str]:
    found = difflib.get_close_matches(symbol.upper(), client.markets, NEAREST, 0.6)
    letters = {_letters(name): name for name in client.markets}
    same = difflib.get_close_matches(_letters(symbol), letters, NEAREST, 0.75)
    return list(dict.fromkeys([*(letters[one] for one in same), *found]))[:NEAREST]


def _letters(name: str) -> str:
    return "".join(one for one in name.upper() if one.isalnum())
