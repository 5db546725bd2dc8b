"""How far a sweep is, on stderr: one line that is written over, or one every few seconds where nobody watches."""

from __future__ import annotations

import sys

from runtime import clock

EVERY = 0.2
UNWATCHED = 5.0


class Progress:
    """Of `total` combinations of `bars` bars each."""

    def __init__(self, total: int, bars: int) -> None:
        self._total, self._bars = total, bars
        self._done = self._skipped = 0
        self._began = self._told = clock.steady()
        self._watched = sys.stderr.isatty()

    def skip(self, combinations: int) -> None:
        """These need no work: an earlier run finished them, or they were asked before."""
        self._done += combinations
        self._skipped += combinations

    def add(self, combinations: int) -> None:
        self._done += combinations
        now = clock.steady()
        if self._done < self._total and now - self._told >= (EVERY if self._watched else UNWATCHED):
            self._told = now
            self._write(self._text(now - self._began), "" if self._watched else "\n")

    def end(self) -> None:
        """The last word: how many, how fast."""
        self._write(self._text(clock.steady() - self._began), "\n")

    def _text(self, seconds: float) -> str:
        return line(self._done, self._total, self._done - self._skipped, self._bars, seconds)

    def _write(self, text: str, end: str) -> None:
        sys.stderr.write(f"\r{text}\x1b[K{end}" if self._watched else f"{text}{end}")
        sys.stderr.flush()


def line(done: int, total: int, fresh: int, bars: int, seconds: float) -> str:
    """`fresh` combinations took `seconds`; what is left will take as long for each."""
    text = f"sweep: {done:,} of {total:,} ({done / max(1, total):.0%})"
    if not fresh or seconds <= 0:
        return text
    rate = fresh / seconds
    text += f", {rate:,.0f} combinations/s, {1e9 / rate / max(1, bars):.2f} ns a bar"
    left = (total - done) / rate
    return f"{text}, {_span(left)} left" if left > 0 else f"{text}, in {_span(seconds)}"


def _span(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes}:{rest:02d} min"
