"""What a person sees while bars come: a bar that moves on a terminal, a line now and then elsewhere. On stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from runtime import clock

LINE_EVERY = 10.0
"""Seconds, where there is no terminal."""


class Plain:
    """Lines, for logs."""

    def __init__(self, name: str) -> None:
        self._name, self._bars, self._began = name, 0, clock.steady()
        self._told = self._began

    def at(self, bars: int, left: int) -> None:
        """`bars` more came, about `left` are still to come."""
        self._bars += bars
        now = clock.steady()
        if now - self._told >= LINE_EVERY:
            self._told = now
            rate = self._bars / (now - self._began)
            self.say(f"{self._name}: {self._bars:,} bars, {left:,} to come, {rate:,.0f} a second")

    def say(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Moving:
    """rich's bar; notes appear above it."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("bars"),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self._task = self.progress.add_task(name, total=None, rate="")
        self._bars, self._began = 0, clock.steady()

    def at(self, bars: int, left: int) -> None:
        """`bars` more came, about `left` are still to come."""
        self._bars += bars
        rate = self._bars / max(clock.steady() - self._began, 1e-3)
        self.progress.update(self._task, completed=self._bars, total=self._bars + left, rate=f"{rate:,.0f}/s")

    def say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False)


@contextmanager
def shown(name: str) -> Iterator[Plain | Moving]:
    """One of them, as stderr is."""
    if not sys.stderr.isatty():
        yield Plain(name)
        return
    moving = Moving(name)
    with moving.progress:
        yield moving
