"""Alerts in numbers, sent from many connections at once to a service that may die at any moment."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.runtime.process_kit import Answer, Daemon, Json, Line

ENGINES = {
    "COINM_SHORT": {"signal": "SELL", "price": 68_000.0, "tp": 67_000, "sl": 69_000},
    "USDTM_LONG": {"signal": "BUY", "price": 3_000.0, "tp": 3_300, "sl": 2_900},
    "GOLD_CFD_LONG": {"signal": "BUY", "price": 2_000.0, "tp": 2_010, "sl": 1_995},
}
"""The built-in engines, the first two of them aggressive, each with an alert that opens."""

SYMBOLS = ("BTCUSDT.P", "ETHUSDT.P", "XAUUSD")


@dataclass
class Sent:
    """An alert, how often it went out, and what was answered."""

    body: Json
    times: int = 0
    answers: list[Answer] = field(default_factory=list)


def alerts(name: str, key: str) -> Iterator[Json]:
    """Endless alerts of every kind, none like another: each has a number of its own, `n`."""
    dice = random.Random(name)
    number = 0
    while True:
        number += 1
        engine = dice.choice(list(ENGINES))
        one: Json = {"key": key, "engine": engine, "symbol": dice.choice(SYMBOLS), "tf": "15", "reason": "load"}
        one |= ENGINES[engine] | {"n": f"{name}-{number}"}
        one |= {"id": one["n"]} if dice.random() < 0.8 else {"ts": one["n"]}
        yield one | _kind(dice, one)


def _kind(dice: random.Random, one: Json) -> Json:
    """What makes it other than a signal that opens."""
    draw = dice.random()
    if draw < 0.40:
        return {"trade_id": f"T{dice.randrange(20)}"} if draw < 0.10 else {}
    if draw < 0.65:
        named = {"trade_id": f"T{dice.randrange(20)}"} if draw < 0.50 else {}
        return named | {"event_type": "CLOSE", "exit": one["price"] * dice.uniform(0.99, 1.01)}
    if draw < 0.75:
        return {"event_type": "UPDATE", "mark": one["price"] * dice.uniform(0.99, 1.01)}
    if draw < 0.85:
        return {"engine": dice.choice(["TV_TEST", "XAU_M5_SCALP"]), "sl": 0, "tp": None}
    if draw < 0.90:
        return {"signal": "BUY" if one["signal"] == "SELL" else "SELL", "sl": 0, "tp": 0}  # against the engine
    return dice.choice([{"price": -1}, {"sl": one["price"]}, {"tf": None}, {"key": "a wrong one"}])


class Sender(threading.Thread):
    """Sends alerts until `enough`; one in seven times one of the last few again, answered or not."""

    def __init__(self, name: str, service: Daemon, key: str, enough: threading.Event, pause: float = 0.006) -> None:
        super().__init__(name=name, daemon=True)
        self.sent: list[Sent] = []
        self._url = service.url
        self._alerts = alerts(name, key)
        self._enough = enough
        self._pause = pause
        self._dice = random.Random(f"again {name}")

    def run(self) -> None:
        line = Line(self._url)
        while not self._enough.is_set():
            one = self._next()
            one.times += 1
            answer = line.post("/tv", one.body)
            if answer is not None:
                one.answers.append(answer)
            time.sleep(self._pause if answer is not None else 0.03)
        line.close()

    def _next(self) -> Sent:
        if self.sent and self._dice.random() < 0.15:
            return self._dice.choice(self.sent[-8:])
        self.sent.append(Sent(next(self._alerts)))
        return self.sent[-1]
