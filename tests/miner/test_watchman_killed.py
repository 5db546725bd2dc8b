"""A watchman that is killed at any moment of an incident, clocks that are turned, a Telegram that is down or limits:
every change is delivered once.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.telegram import TOKEN, Refusal, Telegram

ROOT = Path(__file__).parents[2]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def started() -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start(*command: object, ready: str, **environ: str) -> subprocess.Popen[str]:
        env = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **environ}
        line = [sys.executable, "-P", "-m", *map(str, command)]
        made = subprocess.Popen(line, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(made)
        assert made.stdout is not None
        said = []
        for text in made.stdout:
            said.append(text)
            if ready in text:
                return made
        raise AssertionError(f"not ready: {said}")

    yield start
    for one in running:
        kill(one)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(20)
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def telegram_at(folder: Path) -> Iterator[tuple[Telegram, dict[str, str]]]:
    fake = Telegram().start()
    environ = {"TRADING_STATE_DIR": str(folder), "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_CHAT_ID": "42"}
    environ |= {"TELEGRAM_BASE_URL": fake.url, "TELEGRAM_TIMEOUT": "1", "TELEGRAM_LANGUAGE": "en"}
    try:
        yield fake, environ
    finally:
        fake.stop()


def until(condition: Callable[[], Any], seconds: float = 60.0) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.03)


def told(fake: Telegram) -> list[str]:
    """`A out`, `A back`, in order."""
    lines = [line for one in list(fake.sent) for line in one.text.split("\n")]
    found = [re.search(r"(✅)?.*stick (\w+) is unplugged", line) for line in lines]
    return [f"{one[2]} {'back' if one[1] else 'out'}" for one in found if one]


def test_every_change_is_told_once_whatever_is_killed_and_whoever_is_down(tmp_path: Path, started: Start) -> None:
    chance = random.Random(5)

    def set_world(**sticks: int) -> None:
        shift = chance.choice((0.0, 7200.0, -86_400.0, 3e6))
        made = tmp_path / "world.new"
        made.write_text(json.dumps({"shift": shift, "sticks": sticks}))
        made.replace(tmp_path / "world.json")

    with telegram_at(tmp_path) as (fake, environ):
        set_world(A=1, B=1)
        started("runtime.telegram", ready="ready", **environ)
        expected: list[str] = []
        watchman = started("tests.miner.watchman_process", tmp_path, ready="ready")
        for number in range(5):
            is_out = number % 2 == 0
            if number == 1:
                fake.stop()
            if number == 3:
                fake.refuse = [Refusal(429, "Too Many Requests: retry after 1", retry_after=1)] * 2
                fake.start()
            set_world(A=int(not is_out), B=1)
            time.sleep(chance.choice((0.0, 0.1, 0.3, 0.45, 0.5, 0.6)))
            kill(watchman)
            set_world(A=int(not is_out), B=1)
            watchman = started("tests.miner.watchman_process", tmp_path, ready="ready")
            expected.append(f"A {'out' if is_out else 'back'}")
            if number not in (1, 2):
                until(lambda: len(told(fake)) >= len(expected))
            else:
                time.sleep(1.5)  # it must have judged the world before that turns again
        set_world(A=0, B=0)
        until(lambda: "B out" in told(fake))
        assert told(fake) == [*expected, "B out"]
