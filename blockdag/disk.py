"""What the node's data takes on its disk, and how fast that grows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from blockdag.files import replace
from runtime import clock

Json = dict[str, Any]
BLOCK = 512
"""`st_blocks` counts in these, whatever the file system's own are: stat(2)."""
DAY, HOUR, QUARTER = 86_400.0, 3600.0, 900.0
LOOKED_AT_ONCE = 200
"""Files between two looks at the clock."""


class Taken(NamedTuple):
    """`whole`: all of it was counted; otherwise it is at least so much."""

    bytes: int
    whole: bool


def look(data: Path, budget: int, memory: Path, seconds: float, *, keep: bool) -> Json:
    """`{"bytes", "at_least_bytes", "budget_bytes", "free_bytes", "growth_bytes_per_day", "why"}`; `bytes` is null
    where not all could be counted. `keep`: what was measured is remembered for the next time.
    """
    found: Json = {"budget_bytes": budget, **dict.fromkeys(("bytes", "at_least_bytes", "free_bytes"))}
    found |= {"growth_bytes_per_day": None, "why": ""}
    try:
        free = os.statvfs(data)
        taken = measure(data, seconds)
    except OSError as error:
        return found | {"why": _why(data, error)}
    found |= {"free_bytes": free.f_bavail * free.f_frsize, "at_least_bytes": taken.bytes}
    if not taken.whole:
        return found | {"why": f"{data} cannot be counted within {seconds:g} s"}
    growth = Growth(memory, data)
    said = found | {"bytes": taken.bytes, "growth_bytes_per_day": growth.per_day(taken.bytes)}
    return said | {"why": growth.remember(taken.bytes) if keep else ""}


def measure(folder: Path, seconds: float) -> Taken:
    """Allocated bytes of all below `folder`; a file of several names counts once. Raises OSError of `folder` itself:
    what goes while it is looked at is nothing.
    """
    until, total, seen = clock.steady() + seconds, 0, set[tuple[int, int]]()
    os.listdir(folder)  # noqa: PTH208 - it may not be read: told, and not counted as empty
    for number, info in enumerate(below(folder)):
        if info.st_nlink < 2 or (info.st_dev, info.st_ino) not in seen:
            total += info.st_blocks * BLOCK
        if info.st_nlink > 1:
            seen.add((info.st_dev, info.st_ino))
        if number % LOOKED_AT_ONCE == 0 and clock.steady() > until:
            return Taken(total, False)
    return Taken(total, True)


def below(folder: Path) -> Iterator[os.stat_result]:
    """Of all that is below, without following links. A database's files come and go: what went is left out."""
    waiting = [str(folder)]
    while waiting:
        for entry in _entries(waiting.pop()):
            with suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


class Growth:
    """What the data took in the last day: a small file, one line of it for every quarter of an hour."""

    def __init__(self, memory: Path, data: Path) -> None:
        self._memory, self._data, self._now = memory, str(data), clock.now().timestamp()
        self._samples = [one for one in self._remembered() if self._now - DAY <= one[0] <= self._now]

    def per_day(self, taken: int) -> float | None:
        """Bytes; less than 0 when it shrinks; None until there is an hour to tell it from."""
        if not self._samples or self._now - self._samples[0][0] < HOUR:
            return None
        at, before = self._samples[0]
        return round((taken - before) * DAY / (self._now - at))

    def remember(self, taken: int) -> str:
        """Why it cannot, or ""."""
        if self._samples and self._now - self._samples[-1][0] < QUARTER:
            return ""
        document = {"data": self._data, "samples": [*self._samples, (self._now, taken)]}
        try:
            replace(self._memory, json.dumps(document), 0o600)
        except OSError as error:
            return f"its growth cannot be remembered: {self._memory}: {error.strerror}"
        return ""

    def _remembered(self) -> list[tuple[float, int]]:
        """Of another folder, or what is no such file: nothing."""
        try:
            found = json.loads(self._memory.read_text())
            samples = found["samples"] if found["data"] == self._data else []
            return sorted((float(at), int(taken)) for at, taken in samples)
        except (OSError, ValueError, KeyError, TypeError):
            return []


def _why(data: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no folder {data}"
    if isinstance(error, NotADirectoryError):
        return f"{data} is no folder"
    return f"{error.filename or data}: {error.strerror}"
