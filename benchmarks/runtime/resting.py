"""With a million events and 100,000 trades stored: pages, memory after a load, and what doing nothing costs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from statistics import median, quantiles

from benchmarks.figures import Figure
from benchmarks.runtime import seed
from benchmarks.runtime.conditions import telegram
from benchmarks.runtime.load import wrk
from benchmarks.runtime.services import Service, environ, running
from benchmarks.runtime.tv import Pace
from tests.fakes.telegram import Telegram

Say = Callable[[str], None]
PAGES = (("webhook", "/api/metrics"), ("webhook", "/api/events?limit=50"), ("perf", "/perf/summary"))
ASKS = 300
IDLE_SECONDS = 20.0
DRAIN_SECONDS = 180.0


def pages(pace: Pace, say: Say) -> Iterator[Figure]:
    """One question at a time on one kept connection, by turns."""
    p99: dict[str, list[float]] = defaultdict(list)
    middle: dict[str, list[float]] = defaultdict(list)
    with _all(say) as services:
        for _ in range(pace.rounds):
            for name, path in PAGES:
                times = _asked(services[name], path)
                p99[path].append(quantiles(times, n=100)[98])
                middle[path].append(median(times))
    for _, path in PAGES:
        note = f"median {median(middle[path]):.1f} ms; p99 of {len(p99[path])} rounds of {ASKS}"
        yield Figure(f"{path}, p99", median(p99[path]), "ms", 15, note=note, samples=tuple(p99[path]))


def memory(pace: Pace, say: Say) -> Iterator[Figure]:
    """After alerts by 16 and 64 connections and some pages; then 20 s of nothing."""
    with _all(say) as services:
        webhook = services["webhook"]
        for connections, mix in ((16, "opens"), (64, "opens"), (16, "closes")):
            wrk(webhook, connections, pace.seconds, mix)
        for name, path in PAGES:
            _asked(services[name], path, 50)
        held = {name: service.memory() for name, service in services.items()}
        for name, (now, most) in held.items():
            yield Figure(f"{name}: memory at its most (VmHWM)", most, "MB", 90, note=f"VmRSS after load {now:.1f} MB")
        _drained(webhook, say)
        yield from _idle(services, say)


def _idle(services: dict[str, Service], say: Say) -> Iterator[Figure]:
    say(f"nothing for {IDLE_SECONDS:g} s")
    before = {name: service.cpu() for name, service in services.items()}
    time.sleep(IDLE_SECONDS)
    for name, service in services.items():
        yield Figure(f"{name}: idle", (service.cpu() - before[name]) / IDLE_SECONDS * 100, "%", 0.5, note="of one core")


def _drained(webhook: Service, say: Say) -> None:
    """Doing nothing begins when all that was stored is delivered."""
    say("waiting until everything is delivered")
    limit = time.monotonic() + DRAIN_SECONDS
    while any(one["pending"] for one in webhook.get("/api/state")["sinks"].values()):
        if time.monotonic() > limit:
            raise SystemExit(f"bench: not delivered within {DRAIN_SECONDS:g} s: {webhook.get('/api/state')['sinks']}")
        time.sleep(1)
    time.sleep(3)


@contextmanager
def _all(say: Say) -> Iterator[dict[str, Service]]:
    """Every service, by name; Telegram itself is the tests' fake, in this process."""
    env, found = environ(seed.folder(say)), dict[str, Service]()
    with ExitStack() as stack:
        found["perf"] = stack.enter_context(running("runtime.perf", env))
        env["PERF_URL"] = found["perf"].url
        found["webhook"] = stack.enter_context(running("runtime.webhook", env))
        found["outbox"] = stack.enter_context(running("runtime.outbox.serve", env, ready="ready: delivering"))
        fake = Telegram().start()
        stack.callback(fake.stop)
        found["telegram"] = stack.enter_context(telegram(env, found["webhook"].url, fake.url))
        yield found


def _asked(service: Service, path: str, times: int = ASKS) -> list[float]:
    """Milliseconds of each answer, after a warm-up."""
    connection, took = HTTPConnection("127.0.0.1", service.port), list[float]()
    for _ in range(times + 20):
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        took.append((time.perf_counter() - began) * 1000)
    connection.close()
    return took[20:]
