"""How old backups are, and what waits to be pushed; and how much has drifted."""

from __future__ import annotations

import json
from glob import glob
from pathlib import Path

from miner.monitor.schedule import Blocking
from miner.monitor.settings import Pairs
from miner.readings import Reading
from runtime import clock


class Backups(Blocking):
    """The newest file of each pattern. None at all is not known: it may be a folder that nobody may read."""

    name, every, timeout = "backups", 300.0, 30.0

    def __init__(self, backups: Pairs) -> None:
        super().__init__()
        self._backups = backups

    def measure(self) -> list[Reading]:
        return [_backup(name, pattern) for name, pattern in self._backups]


class Journal(Blocking):
    """Since when something of the log book waits to be pushed, as whoever syncs it wrote it down (`pending.tell`)."""

    name, every, timeout = "journal", 60.0, 10.0

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def measure(self) -> list[Reading]:
        said = json.loads(self._file.read_text())
        since, code = said["since"], str(said.get("code", ""))
        age = (clock.now() - clock.from_iso(since)).total_seconds() if since else 0.0
        return [Reading("journal.push_age_s", "", max(0.0, age), code)]


class Drift(Blocking):
    """What another program counted: `{"count": 2, "files": [...]}`; what has an `until` is not known after that."""

    name, every, timeout = "drift", 10.0, 10.0

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def measure(self) -> list[Reading]:
        found = json.loads(self._file.read_text())
        until = found.get("until")
        if until is not None and until < clock.now().timestamp():
            return [Reading("drift.count", "", None, f"nobody has looked lately: {self._file} is old")]
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
