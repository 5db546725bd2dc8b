"""`POST /tv` beside its rivals, by turns: ours, a bare one, one that commits each request by itself."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure
from benchmarks.runtime.load import Load, wrk
from benchmarks.runtime.services import Service, environ, running
from ops.paths import CACHE

CONNECTIONS = (1, 16, 64)
NAMES = {"ours": "ours", "bare": "bare FastAPI, stores nothing", "commit": "commit per request, FULL"}


@dataclass(frozen=True)
class Pace:
    """How often and how long; each figure is the median of `rounds`."""

    rounds: int = 5
    seconds: float = 3.0


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the checkout's own disk: one in memory would make every sync free."""
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="bench-") as folder:
        yield Path(folder)


@contextmanager
def served(kind: str, folder: Path, **changes: str) -> Iterator[Service]:
    """`ours` is the real service with a ledger that takes its messages; the rivals need nobody."""
    with ExitStack() as stack:
        env = environ(folder, **changes)
        if kind != "ours":
            yield stack.enter_context(running("benchmarks.runtime.rivals", env, kind))
            return
        if "PERF_URL" not in changes:
            env["PERF_URL"] = stack.enter_context(running("runtime.perf", env)).url
        service = stack.enter_context(running("runtime.webhook", env))
        stack.enter_context(running("runtime.outbox.serve", env, ready="ready: delivering"))
        yield service


def told(service: Service, folder: Path, connections: int, seconds: float, mix: str = "opens") -> Load:
    """A run against a service with a store; every alert that was answered must be in it, and no other one.

    wrk leaves as many alerts under way as it has connections when its time is up: those may be stored too.
    """
    before = settled(folder)
    load = wrk(service, connections, seconds, mix)
    settled(folder)
    kept = ask(folder, _ACCEPTED, before)
    if not load.requests <= kept <= load.requests + connections:
        raise SystemExit(f"bench: {load.requests} alerts were answered, {kept} are stored")
    return load


_ACCEPTED = """SELECT count(DISTINCT dedupe_key) FROM events
    WHERE id > ? AND status < 400 AND outcome != 'duplicate'"""


def settled(folder: Path) -> int:
    """The newest event's id, once what was under way when the last run ended is in."""
    before, now = -1, 0
    while before != now:
        before, now = now, ask(folder, "SELECT max(id) FROM events WHERE ? IS NULL", None)
        time.sleep(0.2)
    return now


def ask(folder: Path, query: str, value: int | None) -> int:
    with closing(sqlite3.connect(f"file:{folder}/state/webhook.db?mode=ro", uri=True)) as connection:
        return int(connection.execute(query, (value,)).fetchone()[0] or 0)


def beside(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Rounds of ours, bare, commit; within a round each starts anew, is warmed up, and meets 1, 16, 64 connections."""
    found: dict[tuple[str, int], list[Load]] = defaultdict(list)
    for number in range(pace.rounds):
        for kind in NAMES:
            say(f"round {number + 1} of {pace.rounds}: {NAMES[kind]}")
            for connections, load in _round(kind, pace.seconds):
                found[kind, connections].append(load)
        found["closes", 16].append(_closes(pace.seconds))
    for connections in CONNECTIONS:
        yield from _figures(connections, {kind: found[kind, connections] for kind in NAMES})
    yield from _ratios({kind: [load.rate for load in found[kind, 16]] for kind in NAMES})
    yield _rate("16 connections: ours, opens and closes by turns", found["closes", 16])
    used = max(load.cpu for loads in found.values() for load in loads)
    yield Figure("the generator's own share, at most", used, "cores", note="both share the machine; nothing is pinned")


def _round(kind: str, seconds: float) -> Iterator[tuple[int, Load]]:
    with scratch() as folder, served(kind, folder) as service:
        wrk(service, 16, 1)
        for connections in CONNECTIONS:
            if kind == "bare":
                yield connections, wrk(service, connections, seconds)
            else:
                yield connections, told(service, folder, connections, seconds)


def _closes(seconds: float) -> Load:
    """On a store of its own: the trades that the other alerts leave open are more than anybody ever has."""
    with scratch() as folder, served("ours", folder) as service:
        wrk(service, 16, 1, "closes")
        return told(service, folder, 16, seconds, "closes")


def _figures(connections: int, loads: dict[str, list[Load]]) -> Iterator[Figure]:
    many = f"{connections} connection{'s' * (connections > 1)}"
    for kind, runs in loads.items():
        yield _rate(f"{many}: {NAMES[kind]}", runs)
    slow = [load.p99 for load in loads["ours"]]
    target: dict[str, Any] = {"target": 60.0} if connections == 64 else {}
    note = f"the slowest of all: {max(load.most for load in loads['ours']):.0f} ms"
    yield Figure(f"{many}: ours, p99", median(slow), "ms", note=note, samples=tuple(slow), **target)


def _rate(name: str, runs: list[Load]) -> Figure:
    rates = tuple(load.rate for load in runs)
    p50, p99, cost = (median(getattr(load, name) for load in runs) for name in ("p50", "p99", "cost"))
    note = f"p50 {p50:.1f}, p99 {p99:.1f} ms, CPU {cost:.0f} us; {min(rates):.0f} to {max(rates):.0f}"
    return Figure(name, median(rates), "req/s", note=note, samples=rates)


def _ratios(rates: dict[str, list[float]]) -> Iterator[Figure]:
    """Each round's own ratio: what slowed the machine for a minute slowed both."""
    for kind, target in (("bare", 0.6), ("commit", 2.0)):
        each = tuple(ours / other for ours, other in zip(rates["ours"], rates[kind], strict=True))
        note = f"rounds: {', '.join(f'{one:.2f}' for one in each)}"
        name = f"16 connections: ours / {NAMES[kind]}"
        yield Figure(name, median(each), "x", target, at_least=True, note=note, samples=each)
