"""What must not slow an alert down: each thing by turns with the usual, 16 connections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from statistics import median

from benchmarks.figures import Figure
from benchmarks.runtime import seed
from benchmarks.runtime.load import Load, wrk
from benchmarks.runtime.services import Service, black_hole, environ, running
from benchmarks.runtime.tv import Pace, scratch, served, told
from tests.fakes.telegram import TOKEN

NOISE = 0.9
TABS = 10
Say = Callable[[str], None]
Condition = Callable[[float, Say], Load]
"""Seconds under load, and who is told what takes long."""


def unchanged(pace: Pace, say: Say) -> Iterator[Figure]:
    """By turns: the usual, perf hanging, Telegram black-holed, 10 tabs open, a million events stored."""
    found: dict[str, list[Load]] = defaultdict(list)
    for number in range(pace.rounds):
        conditions = list(_conditions().items())
        shift = number % len(conditions)  # each has its turn at being first: going first may be luck or bad luck
        for name, condition in conditions[shift:] + conditions[:shift]:
            say(f"round {number + 1} of {pace.rounds}: {name}")
            found[name].append(condition(pace.seconds, say))
    usual = found.pop("the usual")
    rates = tuple(load.rate for load in usual)
    note = f"p99 {median(load.p99 for load in usual):.1f} ms; {min(rates):.0f} to {max(rates):.0f}"
    yield Figure("16 connections: the usual", median(rates), "req/s", note=note, samples=rates)
    for name, loads in found.items():
        each = tuple(load.rate / rate for load, rate in zip(loads, rates, strict=True))
        note = f"p99 {median(load.p99 for load in loads):.1f} ms; rounds: {', '.join(f'{one:.2f}' for one in each)}"
        yield Figure(f"   {name} / the usual", median(each), "x", NOISE, at_least=True, note=note, samples=each)


def _conditions() -> dict[str, Condition]:
    return {
        "the usual": _usual,
        "perf hanging": _perf_hanging,
        "10 tabs open": _tabs,
        "1,000,000 events": _million,
        "Telegram black-holed": _telegram,
    }


def _usual(seconds: float, _: Say) -> Load:
    with scratch() as folder, served("ours", folder) as webhook:
        wrk(webhook, 16, 1)
        return told(webhook, folder, 16, seconds)


def _perf_hanging(seconds: float, _: Say) -> Load:
    with black_hole() as url, scratch() as folder, served("ours", folder, PERF_URL=url) as webhook:
        wrk(webhook, 16, 1)
        return told(webhook, folder, 16, seconds)


def _tabs(seconds: float, _: Say) -> Load:
    with scratch() as folder, served("ours", folder) as webhook:
        arguments = ("benchmarks.runtime.tabs", environ(folder), webhook.url, str(TABS))
        with running(*arguments, answers=False):
            wrk(webhook, 16, 1)
            return told(webhook, folder, 16, seconds)


def _million(seconds: float, say: Say) -> Load:
    folder = seed.folder(say)
    with served("ours", folder) as webhook:
        wrk(webhook, 16, 1)
        return told(webhook, folder, 16, seconds)


def _telegram(seconds: float, _: Say) -> Load:
    with black_hole() as url, scratch() as folder, served("ours", folder) as webhook, ExitStack() as stack:
        stack.enter_context(telegram(environ(folder), webhook.url, f"{url}/bot"))
        wrk(webhook, 16, 1)
        return told(webhook, folder, 16, seconds)


def telegram(env: dict[str, str], webhook: str, api: str) -> AbstractContextManager[Service]:
    """The bot of the store in `env`, which speaks to `api` and tells everything."""
    bot = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "42", "TELEGRAM_EVENTS": "all"}
    return running("runtime.telegram", env | bot | {"TELEGRAM_BASE_URL": api, "TV_URL": webhook}, answers=False)
