"""The runtime's services, by what they say of themselves over HTTP."""

from __future__ import annotations

import asyncio
import json

from miner.monitor import ask
from miner.monitor.schedule import Collector
from miner.monitor.settings import Pairs
from miner.readings import Reading
from runtime import clock

PATIENCE = 4.0


class Ready(Collector):
    """GET /ready of each, all at once; one that hangs is not ready."""

    name, every, timeout = "services", 15.0, 6.0

    def __init__(self, services: Pairs) -> None:
        self._services = services

    async def collect(self) -> list[Reading]:
        found = await asyncio.gather(*(_ready(name, url) for name, url in self._services))
        return [one for readings in found for one in readings]


class Outbox(Collector):
    """What each sink owes and has refused, from the webhook's /api/state."""

    name, every, timeout = "outbox", 15.0, 6.0

    def __init__(self, webhook: str) -> None:
        self._url = f"{webhook}/api/state"

    async def collect(self) -> list[Reading]:
        sinks = (await ask.get(self._url)).json().get("sinks", {})
        return [one for name, sink in sinks.items() for one in _sink(name, sink)]


async def _ready(name: str, url: str) -> list[Reading]:
    begun = clock.steady()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await ask.get(url)
    except TimeoutError:
        return [Reading("service.ready", name, 0.0, f"no answer within {PATIENCE:g} s")]
    except (OSError, ValueError) as error:
        return [Reading("service.ready", name, 0.0, _why(error))]
    why = "" if answer.status == 200 else f"{answer.status}: {_checks(answer)}"
    took = Reading("service.ready_s", name, clock.steady() - begun)
    return [Reading("service.ready", name, float(answer.status == 200), why), took]


def _checks(answer: ask.Answer) -> str:
    """What it says is wrong: the checks that are not `ok`."""
    try:
        checks = answer.json().get("checks", {})
    except ValueError:
        return "not JSON"
    return ", ".join(f"{name}: {said}" for name, said in checks.items() if said != "ok")[:200]


def _sink(name: str, sink: dict[str, object]) -> list[Reading]:
    lag, dead, error = sink.get("lag_sec"), sink.get("dead"), sink.get("error")
    why = str(error)[:200] if error else ""
    found = [Reading("outbox.lag_s", name, float(lag), why)] if isinstance(lag, int | float) else []
    return found + ([Reading("outbox.dead", name, float(dead))] if isinstance(dead, int | float) else [])


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return "its answer is not JSON"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
