"""What was measured, for charts: raw for an hour or two, then by the minute, the quarter of an hour, four hours.

A row is a frame: one moment, and the value of every series at that moment as 32-bit floats, in the order in which they
were first seen. So a cycle costs one short list, a minute one row for each step that ends, however many series there
are; and a chart reads four bytes of each. Frames are means of what fell into a step.

The file (`readings.db`) is expendable: written once a minute, never synced, bounded, and begun anew when damaged.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from miner.readings import METRICS, Reading

Key = tuple[str, str]
Point = tuple[float, float | None]
NAN = math.nan

log = logging.getLogger("miner.monitor")


@dataclass(frozen=True, slots=True)
class Step:
    """Frames of `seconds` (0: as they come) are kept for `keep` seconds, and within `part` of the file's bytes."""

    seconds: int
    keep: int
    part: float


STEPS = (
    Step(0, 2 * 3600, 0.3),
    Step(60, 3 * 86_400, 0.3),
    Step(900, 60 * 86_400, 0.25),
    Step(14_400, 800 * 86_400, 0.15),
)
_TABLES = """
CREATE TABLE IF NOT EXISTS series (slot INTEGER PRIMARY KEY, metric TEXT, target TEXT, UNIQUE (metric, target));
CREATE TABLE IF NOT EXISTS frames (step INTEGER, at REAL, data BLOB, PRIMARY KEY (step, at)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows for the file: (step, at, frame) and (slot, metric, target)."""

    frames: list[tuple[int, float, array[float]]]
    series: list[tuple[int, str, str]]


class Mean:
    """The frame of one step that is not over yet."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self._sums, self._counts = array("d"), array("i")

    def add(self, frame: Sequence[float]) -> None:
        more = max(0, len(frame) - len(self._sums))
        self._sums.extend([0.0] * more)
        self._counts.extend([0] * more)
        for slot, value in enumerate(frame):
            if value == value:  # not a NaN; a call for each would take most of the time
                self._sums[slot] += value
                self._counts[slot] += 1

    def frame(self) -> array[float]:
        pairs = zip(self._sums, self._counts, strict=True)
        return array("f", [total / count if count else NAN for total, count in pairs])


class History:
    """Belongs to the event loop, but for `write` and `series`, which may be called in any thread."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._lock = threading.Lock()
        self._file = _opened(path)
        self._slots: dict[Key, int] = {(m, t): slot for slot, m, t in self._file.execute("SELECT * FROM series")}
        self._unsaved: list[tuple[int, float, array[float]]] = []
        self._new: list[tuple[int, str, str]] = []
        self._means = {step.seconds: self._under_way(step) for step in STEPS[1:]}

    def add(self, at: float, readings: Iterable[Reading]) -> None:
        """What one full cycle measured, at an epoch in seconds. A target that is not measured now has no value now."""
        frame = array("f", [NAN]) * len(self._slots)
        for one in readings:
            if one.value is not None and one.metric in METRICS:
                slot = self._slots.get((one.metric, one.target))
                if slot is None:
                    slot = self._name(one.metric, one.target)
                    frame.append(NAN)
                frame[slot] = one.value
        self._unsaved.append((0, at, frame))
        minute = self._ended(STEPS[1].seconds, at)
        if minute is not None:
            self._unsaved.append((STEPS[1].seconds, minute.begun, minute.frame()))
            self._roll(minute)
        self._means[STEPS[1].seconds].add(frame)

    @property
    def is_due(self) -> bool:
        """A minute has ended since something was written."""
        return any(step for step, _, _ in self._unsaved)

    def take(self) -> Batch:
        """What is not in the file yet; whoever takes it writes it."""
        taken = Batch(self._unsaved, self._new)
        self._unsaved, self._new = [], []
        return taken

    def write(self, batch: Batch) -> None:
        """In any thread. What is too old or too much goes. A disk that is full costs the charts, and nothing else."""
        with self._lock:
            try:
                with self._file:
                    self._file.executemany("INSERT OR IGNORE INTO series VALUES (?, ?, ?)", batch.series)
                    rows = [(step, at, frame.tobytes()) for step, at, frame in batch.frames]
                    self._file.executemany("INSERT OR REPLACE INTO frames VALUES (?, ?, ?)", rows)
                    self._trim(max((at for _, at, _ in batch.frames), default=0.0))
            except sqlite3.Error as error:
                log.warning("readings are not kept: %s", error)
                self._new = batch.series + self._new  # or what comes later would have no name

    def series(self, metric: str, target: str, since: float, until: float, points: int) -> list[Point]:
        """(epoch in seconds, value) of one series, from the coarsest frames that still give so many `points`.

        A step that has nothing yet, or ends too early, is completed from the finer ones. None is a gap.
        """
        slot = self._slots.get((metric, target))
        if slot is None:
            return []
        step = self._fitting(since, until, points)
        found = list(self._stored(step, slot, since, until))
        if step:
            last = found[-1][0] + step if found else since
            found += _thinned(list(self._raw(slot, max(since, last), until)), step)
            return _thinned(found, (until - since) / points)
        return _thinned(list(self._raw(slot, since, until)), (until - since) / points)

    def close(self) -> None:
        self.write(self.take())
        with self._lock:
            self._file.close()

    @property
    def size(self) -> int:
        """Of the file, in bytes."""
        with contextlib.suppress(OSError):
            return self._path.stat().st_size
        return 0

    def _name(self, metric: str, target: str) -> int:
        slot = self._slots[metric, target] = len(self._slots)
        self._new.append((slot, metric, target))
        return slot

    def _ended(self, seconds: int, at: float) -> Mean | None:
        """The mean that `at` no longer belongs to, if there is one; a new one takes its place."""
        begun = at - at % seconds
        before = self._means[seconds]
        if before.begun == begun:
            return None
        self._means[seconds] = Mean(begun)
        return before if before.begun else None

    def _roll(self, minute: Mean) -> None:
        for step in STEPS[2:]:
            ended = self._ended(step.seconds, minute.begun)
            if ended is not None:
                self._unsaved.append((step.seconds, ended.begun, ended.frame()))
            self._means[step.seconds].add(minute.frame())

    def _under_way(self, step: Step) -> Mean:
        """As it was when the service ended: from the finer frames since its begin."""
        finer = 0 if step.seconds == STEPS[1].seconds else STEPS[1].seconds
        (last,) = self._file.execute("SELECT max(at) FROM frames WHERE step = ?", (finer,)).fetchone()
        made = Mean((last or 0.0) - (last or 0.0) % step.seconds)
        for (data,) in self._file.execute("SELECT data FROM frames WHERE step = ? AND at >= ?", (finer, made.begun)):
            made.add(array("f", data))
        return made

    def _fitting(self, since: float, until: float, points: int) -> int:
        wanted = (until - since) / points
        kept = [step.seconds for step in STEPS if until - since <= step.keep] or [STEPS[-1].seconds]
        return max((seconds for seconds in kept if seconds <= wanted), default=kept[0])

    def _stored(self, step: int, slot: int, since: float, until: float) -> Iterator[Point]:
        query = "SELECT at, substr(data, ?, 4) FROM frames WHERE step = ? AND at >= ? AND at < ? ORDER BY at"
        with self._lock:
            rows = self._file.execute(query, (slot * 4 + 1, step, since, until)).fetchall()
        for at, data in rows:
            yield at, _value(array("f", data)[0] if len(data) == 4 else NAN)

    def _raw(self, slot: int, since: float, until: float) -> Iterator[Point]:
        yield from self._stored(0, slot, since, until)
        for step, at, frame in list(self._unsaved):
            if step == 0 and since <= at < until:
                yield at, _value(frame[slot] if slot < len(frame) else NAN)

    def _trim(self, now: float) -> None:
        for step in STEPS:
            self._file.execute("DELETE FROM frames WHERE step = ? AND at < ?", (step.seconds, now - step.keep))
            count, size = self._file.execute(
                "SELECT count(*), coalesce(sum(length(data)), 0) FROM frames WHERE step = ?", (step.seconds,)
            ).fetchone()
            if count and size > self._limit * step.part:
                drop = math.ceil(count * (1 - self._limit * step.part * 0.9 / size))
                oldest = "SELECT at FROM frames WHERE step = ? ORDER BY at LIMIT 1 OFFSET ?"
                (edge,) = self._file.execute(oldest, (step.seconds, min(drop, count - 1))).fetchone()
                self._file.execute("DELETE FROM frames WHERE step = ? AND at < ?", (step.seconds, edge))


def _opened(path: Path) -> sqlite3.Connection:
    """A file that is no database any more is begun anew: charts are not worth a service that does not start."""
    try:
        return _prepared(path)
    except sqlite3.DatabaseError as error:
        log.warning("%s is damaged (%s) and begun anew", path, error)
        for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
            name.unlink(missing_ok=True)
        return _prepared(path)


def _prepared(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, check_same_thread=False, timeout=5.0)
    try:
        file.execute("PRAGMA auto_vacuum = INCREMENTAL")
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = OFF")
        file.execute("PRAGMA cache_size = -1024")
        file.executescript(_TABLES)
        file.execute("SELECT count(*) FROM series").fetchone()
    except sqlite3.DatabaseError:
        file.close()
        raise
    return file


def _value(value: float) -> float | None:
    return value if value == value else None


def _thinned(points: list[Point], step: float) -> list[Point]:
    """Means of what falls into one step, at the step's first moment; a step without a value is a gap."""
    if step <= 0 or len(points) < 2:
        return points
    grouped: dict[int, list[Point]] = {}
    for one in points:
        grouped.setdefault(int(one[0] // step), []).append(one)
    return [_mean(group) for group in grouped.values()]


def _mean(group: list[Point]) -> Point:
    values = [value for _, value in group if value is not None]
    return group[0][0], sum(values) / len(values) if values else None
