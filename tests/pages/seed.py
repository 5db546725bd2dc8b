"""A trader's months, made up but consistent: the same ones on each run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx

Event = dict[str, Any]

BOOK = (  # engine, symbol, side, price, stop distance, quantity, risk in USD
    ("GOLD_CFD_LONG", "XAUUSD", "LONG", 2000.0, 6.0, 2.5, 15.0),
    ("USDTM_LONG", "BTCUSDT.P", "LONG", 60_000.0, 600.0, 0.1, 60.0),
    ("COINM_SHORT", "BTCUSD.P", "SHORT", 60_000.0, 600.0, 0.1, 60.0),
)


def trades(until: datetime, count: int = 160, days: int = 300) -> Iterator[Event]:
    """Events for the ledger: `count` trades that opened, were marked, and closed before `until`."""
    dice = random.Random(11)
    for number in range(count):
        engine, symbol, side, base, distance, qty, risk = dice.choice(BOOK)
        opened = until - timedelta(days=days * (1 - number / count), minutes=dice.randrange(900) - 1440)
        way = 1 if side == "LONG" else -1
        entry = round(base * (1 + dice.uniform(-0.03, 0.03)), 1)
        r = dice.choice((-1.0, -1.0, -1.0, -1.0, -1.0, -0.5, 0.0, 0.6, 1.1, 1.6, 2.0, 2.4)) + dice.uniform(-0.12, 0.12)
        trade = {"trade_id": f"seed-{number}", "engine": engine, "symbol": symbol, "side": side}
        opening = trade | {"entry": entry, "stop": entry - way * distance, "qty": qty, "risk_usd": risk}
        yield {"type": "OPEN", "ts": opened.isoformat(), **opening}
        for _ in range(2):
            mark = round(entry + way * distance * dice.uniform(min(r, -0.3), max(r, 0.5)), 1)
            yield {"type": "UPDATE", "trade_id": f"seed-{number}", "mark": mark, "ts": opened.isoformat()}
        closed = opened + timedelta(minutes=dice.randrange(20, 1200))
        exit_price = round(entry + way * distance * r, 1)
        yield {"type": "CLOSE", "trade_id": f"seed-{number}", "exit": exit_price, "ts": closed.isoformat()}


def still_open(now: datetime) -> Iterator[Event]:
    """Two open trades: one was marked, one was not."""
    gold = {"engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "side": "LONG", "entry": 2031.4, "stop": 2025.4, "qty": 2.5}
    coin = {"engine": "USDTM_LONG", "symbol": "ETHUSDT.P", "side": "LONG", "entry": 3120.5, "stop": 3080, "qty": 1.4}
    yield {"type": "OPEN", "trade_id": "open-gold", **gold, "ts": (now - timedelta(hours=3)).isoformat()}
    yield {"type": "OPEN", "trade_id": "open-coin", **coin, "ts": (now - timedelta(minutes=25)).isoformat()}
    yield {"type": "UPDATE", "trade_id": "open-gold", "mark": 2039.1, "ts": now.isoformat()}


def alerts(key: str) -> Iterator[Event]:
    """What TradingView sent today: taken, refused, repeated, wrong."""

    def alert(engine: str, signal: str, symbol: str, price: float, sl: float, tp: float, **more: Any) -> Event:
        base = {"key": key, "engine": engine, "signal": signal, "symbol": symbol, "tf": "15", "price": price}
        return base | {"sl": sl, "tp": tp, "reason": ""} | more

    yield alert("TV_TEST", "BUY", "BTCUSDT.P", 111, 222, 333, reason="self test", tf="60")
    yield alert("USDTM_LONG", "BUY", "ETHUSDT.P", 3120.5, 3080, 3210, reason="EMA cross + volume", trade_id="eth-1")
    yield alert("COINM_SHORT", "SELL", "BTCUSD.P", 60_250, 60_900, 58_800, reason="lower high", tf="60")
    yield alert("GOLD_CFD_LONG", "BUY", "XAUUSD", 2031.4, 2025.4, 2049.4, reason="M15 sweep, H1 trend up")
    yield alert("GOLD_CFD_LONG", "BUY", "XAUUSD", 2031.4, 2025.4, 2049.4, reason="M15 sweep, H1 trend up")
    yield alert("GOLD_CFD_LONG", "BUY", "XAUUSD", 2030, 2040, 2050, reason="stop on the wrong side")
    yield alert("GOLD_CFD_LONG", "SELL", "XAGUSD", 24.1, 24.4, 23.2, reason="not its direction")
    yield alert("USDTM_LONG", "BUY", "SOLUSDT.P", 141.2, 138.9, 147, reason="range break, retest held", tf="60")
    yield alert("SCALPER_EU", "SELL", "EURUSD", 1.0842, 1.0859, 1.0805, reason="London open fade", tf="5")


def tell(url: str, events: Iterator[Event], path: str) -> None:
    """Post each; a refusal is part of the day."""
    with httpx.Client(timeout=10) as client:
        for event in events:
            assert client.post(url + path, json=event).status_code < 500


def bars(key: str, count: int = 90) -> Iterator[Event]:
    """Candles of gold, a quarter of an hour each."""
    dice, price = random.Random(5), 2019.0
    for number in range(count):
        close = price + dice.uniform(-2.6, 3.0)
        high, low = max(price, close) + dice.uniform(0, 1.5), min(price, close) - dice.uniform(0, 1.5)
        bar = {"open": round(price, 2), "high": round(high, 2), "low": round(low, 2), "close": round(close, 2)}
        same = {"key": key, "event_type": "BAR", "engine": "GOLD_CFD_LONG", "symbol": "XAUUSD", "tf": "15"}
        yield same | bar | {"id": f"bar-{number}"}
        price = close


SESSION = """\
## {day} {time} — {title}
1) Objectifs:
- {goal}
- Garder une trace de chaque commande utile.

2) Actions:
- Revu `config/engines.json` avec les tailles **réelles** du compte.
- Comparé trois réglages sur la même fenêtre, coûts compris.

3) Décisions:
- Un réglage ne change qu’après deux semaines sans retouche.

4) Commandes / Code:
```bash
./inv plan --host lab
./inv deploy --host lab    # rien d’autre n’a bougé
```

5) Points ouverts (next):
- {todo}
- [x] Noter la durée du redéploiement.

"""
ALERT = """\
## {day} {time} | TV Webhook | {engine} | {symbol} 15 | {signal}
1. **Signal**: `{signal}`
2. **Engine**: `{engine}`
3. **Symbol/TF**: `{symbol}` / `15`
4. **Price**: `{price}`
5. **TP**: `{tp}`
6. **SL**: `{sl}`
7. **Reason**: {reason}
8. **Payload brut**:
```json
{{
  "engine": "{engine}",
  "signal": "{signal}",
  "price": {price}
}}
```

"""


SESSIONS = (
    ("Sizing du moteur or", "Fixer le risque par trade.", "Vérifier la taille sur le compte de démo."),
    ("Fenêtre de test XAUUSD M15", "Choisir la fenêtre de validation.", "Relancer avec les frais de nuit."),
    ("Sauvegarde du registre", "Une sauvegarde chaque nuit.", "Tester une restauration complète."),
)


def journal(now: datetime, count: int = 9) -> str:
    """A log book of some days: sessions, alerts, a note, text that stands outside entries."""
    text = "# Journal\n\n"
    for number in range(count):
        day = f"{now - timedelta(days=count - 1 - number):%Y-%m-%d}"
        for hour, (engine, symbol, side, price, distance, _, _) in enumerate(BOOK[: 1 + number % 3], 9):
            signal, way = ("BUY", 1) if side == "LONG" else ("SELL", -1)
            levels = {"price": price, "tp": price + 3 * way * distance, "sl": price - way * distance}
            named = {"engine": engine, "symbol": symbol, "signal": signal, "reason": "cassure confirmée"}
            text += ALERT.format(day=day, time=f"{hour:02}:1{number}", **named, **levels)
        if number % 2 == 0:
            title, goal, todo = SESSIONS[number // 2 % 3]
            text += SESSION.format(day=day, time="18:30", title=title, goal=goal, todo=todo)
        if number % 4 == 1:
            text += f"## {day} 20:00 | PERF | résumé de la semaine\n| moteur | R |\n|---|---|\n| or | +2,1 |\n\n"
    return text
