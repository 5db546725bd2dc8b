"""How five exchanges speak of candles, as far as ccxt asks: paths, parameters, order, caps, errors.

Sources: developers.binance.com (spot "Kline/Candlestick data", "Exchange information"; USDⓈ-M "Kline/Candlestick Data",
"Get Funding Rate History"), bybit-exchange.github.io/docs/v5 ("Get Kline", "Get Instruments Info", "Get Funding Rate
History"), bitget.com/api-doc ("Get Candle Data", "Get History Candle Data" of spot and contract, "Get History Funding
Rate"), okx.com/docs-v5 ("Get candlesticks", "Get candlesticks history", "Get funding rate history").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.exchange_market import Bar, Market

Query = dict[str, str]
UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY = UNITS["d"]
ALWAYS = 2**60


class Unknown(Exception):
    """No such symbol."""


@dataclass(frozen=True)
class Reply:
    body: Any
    weight: float = 1.0
    kind: str = "other"
    status: int = 200


def step_of(text: str) -> int:
    """15m, 15min, 1H, 1Dutc, or Bybit's 15, 60, D, W."""
    if text.isdigit():
        return int(text) * UNITS["m"]
    found = re.fullmatch(r"(\d*)([mhdwMHDW])(in)?(utc)?", text)
    assert found, text
    return int(found[1] or 1) * UNITS[found[2].lower()]


@dataclass
class Words:
    """What every one of them needs. `cap`: the longest answer."""

    markets: list[Market]
    now: Callable[[], int]

    def market(self, symbol: str, joint: str = "") -> Market:
        for market in self.markets:
            if f"{market.base}{joint}{market.quote}" == symbol.removesuffix("-SWAP"):
                return market
        raise Unknown(symbol)

    def bars(self, market: Market, step: int, begin: int, end: int, newest: int | None) -> list[Bar]:
        """`newest`: only so many, the last ones."""
        now = self.now()
        if newest is not None:
            begin = max(begin, min(end, now, market.ended) - (newest + 5) * step - sum(e - b for b, e in market.gaps))
        return market.bars(step, begin, end, now)[-newest if newest else 0 :]


class Binance(Words):
    """Rising; with startTime the first ones, else the newest. Spot weighs 2, futures by the limit."""

    def reply(self, path: str, q: Query) -> Reply | None:
        futures = path.startswith(("/fapi", "/dapi"))
        match path.rpartition("/")[2]:
            case "time":
                return Reply({"serverTime": self.now()})
            case "exchangeInfo":
                return Reply({"symbols": [self._symbol(one, futures) for one in self.markets]}, 1 if futures else 20)
            case "klines":
                return self._klines(q, futures)
            case "fundingRate":
                return self._funding(q)
        return None

    def unknown(self) -> Reply:
        return Reply({"code": -1121, "msg": "Invalid symbol."}, status=400)

    def _klines(self, q: Query, futures: bool) -> Reply:
        step, limit = step_of(q["interval"]), min(int(q.get("limit", 500)), 1500 if futures else 1000)
        begin, end = int(q.get("startTime", -1)), int(q.get("endTime", ALWAYS))
        market = self.market(q["symbol"])
        if begin < 0:
            bars = self.bars(market, step, 0, end, limit)
        else:
            width = limit * step + sum(e - b for b, e in market.gaps)
            first = max(begin, market.listed)
            bars = self.bars(market, step, begin, min(end, first + width), None)[:limit]
        rows = [[*bar, bar[0] + step - 1, "0", 1, "0", "0", "0"] for bar in bars]
        return Reply(rows, self.weight(limit) if futures else 2, "bars")

    def _funding(self, q: Query) -> Reply:
        begin, end = int(q["startTime"]), int(q["endTime"])
        found = self.market(q["symbol"]).settlements(begin, end, self.now())[: int(q.get("limit", 100))]
        return Reply(
            [{"symbol": q["symbol"], "fundingTime": at, "fundingRate": rate} for at, rate in found], 1, "rates"
        )

    @staticmethod
    def weight(limit: int) -> int:
        return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10

    @staticmethod
    def _symbol(market: Market, futures: bool) -> dict[str, str]:
        found = {"symbol": market.base + market.quote, "status": "TRADING", "baseAsset": market.base}
        found["quoteAsset"] = market.quote
        return found | ({"contractType": "PERPETUAL", "marginAsset": market.quote} if futures else {})

    @staticmethod
    def too_many() -> Any:
        return {"code": -1003, "msg": "Too many requests; current limit is 6000 request weight per 1 MINUTE."}


class Bybit(Words):
    """Newest first, the newest `limit` of what lies between, both ends included."""

    def reply(self, path: str, q: Query) -> Reply | None:
        match path:
            case "/v5/market/time":
                return self._ok({"timeSecond": str(self.now() // 1000), "timeNano": str(self.now() * 1_000_000)})
            case "/v5/market/instruments-info":
                rows = [] if q.get("status") else [self._symbol(one, q["category"]) for one in self.markets]
                return self._ok({"category": q["category"], "list": rows})
            case "/v5/market/kline":
                market, step = self.market(q["symbol"]), step_of(q["interval"])
                limit = min(int(q.get("limit", 200)), 1000)
                bars = self.bars(market, step, int(q.get("start", 0)), int(q.get("end", ALWAYS)), limit)
                rows = [[str(bar[0]), *bar[1:], "0"] for bar in reversed(bars)]
                return self._ok({"category": q["category"], "symbol": q["symbol"], "list": rows}, "bars")
            case "/v5/market/funding/history":
                found = self.market(q["symbol"]).settlements(int(q["startTime"]), int(q["endTime"]), self.now())
                rows = [
                    {"symbol": q["symbol"], "fundingRate": rate, "fundingRateTimestamp": str(at)}
                    for at, rate in reversed(found[-int(q["limit"]) :])
                ]
                return self._ok({"category": q["category"], "list": rows}, "rates")
        return None

    def unknown(self) -> Reply:
        return Reply({"retCode": 10001, "retMsg": "Not supported symbols", "result": {}, "time": self.now()})

    def _ok(self, result: Any, kind: str = "other") -> Reply:
        return Reply({"retCode": 0, "retMsg": "OK", "result": result, "time": self.now()}, 1, kind)

    @staticmethod
    def _symbol(market: Market, category: str) -> dict[str, Any]:
        found = {"symbol": market.base + market.quote, "baseCoin": market.base, "quoteCoin": market.quote}
        found |= {"status": "Trading", "lotSizeFilter": {}, "priceFilter": {"tickSize": "0.01"}}
        return found if category == "spot" else found | {"contractType": "LinearPerpetual", "settleCoin": market.quote}

    @staticmethod
    def too_many() -> Any:
        return {"retCode": 10006, "retMsg": "Too many visits!", "result": {}}


class Bitget(Words):
    """Rising, the newest `limit` before endTime; the recent endpoint has 1,000, the history 200 and no startTime."""

    def reply(self, path: str, q: Query) -> Reply | None:
        match path:
            case "/api/v2/public/time":
                return self._ok({"serverTime": str(self.now())})
            case "/api/v2/spot/public/symbols":
                return self._ok([self._symbol(one) for one in self.markets])
            case "/api/v2/margin/currencies":
                return self._ok([])
            case "/api/v2/mix/market/contracts":
                usdt = q["productType"] == "USDT-FUTURES"
                return self._ok([self._symbol(one) | self._contract(one) for one in self.markets] if usdt else [])
            case "/api/v2/spot/market/candles" | "/api/v2/mix/market/candles":
                return self._candles(q, 1000, int(q.get("startTime", 0)))
            case "/api/v2/spot/market/history-candles" | "/api/v2/mix/market/history-candles":
                return self._candles(q, 200, 0)
            case "/api/v2/mix/market/history-fund-rate":
                return self._funding(q)
        return None

    def unknown(self) -> Reply:
        return Reply({"code": "40034", "msg": "Parameter does not exist", "requestTime": 1, "data": None}, status=400)

    def _candles(self, q: Query, cap: int, begin: int) -> Reply:
        market, step = self.market(q["symbol"]), step_of(q["granularity"])
        limit = min(int(q.get("limit", 100)), cap)
        bars = self.bars(market, step, begin, int(q.get("endTime", ALWAYS)) - 1, limit)
        return self._ok([[str(bar[0]), *bar[1:], "0", "0"] for bar in bars], "bars")

    def _funding(self, q: Query) -> Reply:
        size, page = int(q["pageSize"]), int(q.get("pageNo", 1))
        found = self.market(q["symbol"]).settlements(0, ALWAYS, self.now())[::-1][(page - 1) * size : page * size]
        rows = [{"symbol": q["symbol"], "fundingRate": rate, "fundingTime": str(at)} for at, rate in found]
        return self._ok(rows, "rates")

    def _ok(self, data: Any, kind: str = "other") -> Reply:
        return Reply({"code": "00000", "msg": "success", "requestTime": self.now(), "data": data}, 1, kind)

    @staticmethod
    def _symbol(market: Market) -> dict[str, Any]:
        found = {"symbol": market.base + market.quote, "baseCoin": market.base, "quoteCoin": market.quote}
        return found | {"status": "online", "pricePrecision": "2", "quantityPrecision": "4"}

    @staticmethod
    def _contract(market: Market) -> dict[str, Any]:
        found = {"symbolType": "perpetual", "supportMarginCoins": [market.quote], "symbolStatus": "normal"}
        return found | {"pricePlace": "2", "volumePlace": "3", "priceEndStep": "1", "sizeMultiplier": "0.001"}

    @staticmethod
    def too_many() -> Any:
        return {"code": "429", "msg": "Too many requests", "requestTime": 1, "data": None}


class Okx(Words):
    """Newest first, later than `before` and earlier than `after`. History has no unfinished bar."""

    def reply(self, path: str, q: Query) -> Reply | None:
        match path:
            case "/api/v5/public/time":
                return self._ok([{"ts": str(self.now())}])
            case "/api/v5/public/instruments":
                wanted = q["instType"] in ("SPOT", "SWAP")
                return self._ok([self._symbol(one, q["instType"]) for one in self.markets] if wanted else [])
            case "/api/v5/market/candles":
                return self._candles(q, weight=1)
            case "/api/v5/market/history-candles":
                return self._candles(q, weight=2)
            case "/api/v5/public/funding-rate-history":
                begin, end = int(q.get("before", -1)) + 1, int(q.get("after", ALWAYS)) - 1
                found = self.market(q["instId"], "-").settlements(begin, end, self.now())[-int(q["limit"]) :]
                rows = [
                    {"instId": q["instId"], "instType": "SWAP", "fundingTime": str(at), "realizedRate": rate}
                    for at, rate in reversed(found)
                ]
                return self._ok(rows, "rates")
        return None

    def unknown(self) -> Reply:
        return Reply({"code": "51001", "msg": "Instrument ID does not exist", "data": []})

    def _candles(self, q: Query, weight: int) -> Reply:
        begin, end = int(q.get("before", -1)) + 1, int(q.get("after", ALWAYS)) - 1
        step, limit = step_of(q["bar"]), min(int(q.get("limit", 100)), 300)
        bars = self.bars(self.market(q["instId"], "-"), step, begin, end, limit)
        swap = q["instId"].endswith("-SWAP")  # its first volume is in contracts
        rows = [
            [str(at), *prices, *(("12345", volume) if swap else (volume, "67890")), "0", "1"]
            for at, *prices, volume in reversed(bars)
        ]
        return self._ok(rows, "bars", weight)

    def _ok(self, data: Any, kind: str = "other", weight: int = 2) -> Reply:
        return Reply({"code": "0", "msg": "", "data": data}, weight, kind)

    @staticmethod
    def _symbol(market: Market, kind: str) -> dict[str, Any]:
        found = {"instType": kind, "instId": f"{market.base}-{market.quote}", "state": "live", "tickSz": "0.01"}
        if kind == "SPOT":
            return found | {"baseCcy": market.base, "quoteCcy": market.quote}
        return found | {
            "instId": f"{market.base}-{market.quote}-SWAP", "uly": f"{market.base}-{market.quote}",
            "settleCcy": market.quote, "ctVal": "0.01",
        }  # fmt: skip

    @staticmethod
    def too_many() -> Any:
        return {"code": "50011", "msg": "Too Many Requests", "data": []}


WORDS: dict[str, type[Binance] | type[Bybit] | type[Bitget] | type[Okx]] = {
    "binance": Binance,
    "binanceusdm": Binance,
    "bybit": Bybit,
    "bitget": Bitget,
    "okx": Okx,
}
