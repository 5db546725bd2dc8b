"""How old backups are, and what waits to be pushed; and how much has drifted."""

from __future__ import annotations

import json
from glob import glob
from pathlib import Path

from miner.monitor.schedule import Blocking
from miner.monitor.settings import Pairs
from miner.readings import Reading
from runtime import clock
from runtime.journal import pending


class Backups(Blocking):
    """The newest file of each pattern. None at all is not known: it may be a folder that nobody may read."""

    name, every, timeout = "backups", 300.0, 30.0

    def __init__(self, backups: Pairs) -> None:
        super().__init__()
        self._backups = backups

    def measure(self) -> list[Reading]:
        return [_backup(name, pattern) for name, pattern in self._backups]


class Journal(Blocking):
    """Since when something of the log book waits to be pushed, as `runtime.journal.pending` wrote it down."""

    name, every, timeout = "journal", 60.0, 10.0

    def __init__(self, git_dir: Path) -> None:
        super().__init__()
        self._git_dir = git_dir

    def measure(self) -> list[Reading]:
        next(
            self._git_dir.iterdir(), None
        )  # raises where this user may not look: an absent file would say "all is well"
        waiting = pending.read(self._git_dir)
        if waiting is None:
            return [Reading("journal.push_age_s", "", 0.0)]
        age = (clock.now() - clock.from_iso(waiting.since)).total_seconds()
        return [Reading("journal.push_age_s", "", max(0.0, age), waiting.message[:200])]


class Drift(Blocking):
    """What another program counted: `{"count": 2, "files": [...]}`."""

    name, every, timeout = "drift", 300.0, 10.0

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def measure(self) -> list[Reading]:
        found = json.loads(self._file.read_text())
        return [Reading("drift.count", "", float(found["count"]), ", ".join(map(str, found.get("files", ())))[:200])]


def _backup(name: str, pattern: str) -> Reading:
    newest, at = "", 0.0
    for path in glob(pattern):  # noqa: PTH207 - the pattern is absolute, which Path.glob refuses
        changed = Path(path).stat().st_mtime
        if changed > at:
            newest, at = path, changed
    if not newest:
        return Reading("backup.age_s", name, None, f"no file matches {pattern}")
    return Reading("backup.age_s", name, max(0.0, clock.now().timestamp() - at), Path(newest).name)
