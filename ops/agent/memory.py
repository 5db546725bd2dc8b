"""What the agent remembers between runs, so that a run which dies is finished, or undone, by the next."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

from . import files
from .host import LOGS, RUN, STATE, HostError
from .managed import Managed

STALE = "stale:"
"""Put before the recorded inputs of a unit that owes a restart; what follows is what it still runs."""


class Lock:
    """One run at a time. The kernel frees it when its holder dies, however it dies."""

    def __init__(self, who: str, why: str) -> None:
        RUN.mkdir(mode=0o755, parents=True, exist_ok=True)
        self._text = json.dumps({"who": who, "why": why, "since": stamp(), "pid": os.getpid()})
        self._file = (RUN / "lock").open("a+")

    def take(self, wait: float, say: Any) -> None:
        """HostError naming the holder when it is not free within `wait` seconds."""
        end, told = time.monotonic() + wait, False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() > end:
                raise HostError(f"the host is locked by {self.holder()}", "wait for that run to end, then try again")
            if not told:
                say(f"waiting for {self.holder()}")
                told = True
            time.sleep(0.1)
        self._file.truncate(0)
        self._file.write(self._text)
        self._file.flush()

    def holder(self) -> str:
        with contextlib.suppress(OSError, ValueError, KeyError):
            held = json.loads((RUN / "lock").read_text())
            return f"{held['who']} since {held['since']} ({held['why']}, pid {held['pid']})"
        return "another run"


class Memory:
    """State under /var/lib/trading-ops: what each unit was started with, what was applied, how to undo it."""

    def __init__(self, root: Path = STATE) -> None:
        self.root = root
        self.undo_path = root / "undo"
        self._units = _load(root / "units.json")
        self._applied = _load(root / "applied.json")
        self.managed = Managed(root / "managed.json", _load(root / "managed.json"))
        self._dirty = False
        self._noted: list[str] | None = None

    def prepare(self) -> None:
        self.undo_path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.root.chmod(0o700)

    def inputs(self, unit: str) -> str:
        """The hash of what the running unit was started with; "" when we never started it."""
        return str(self._units.get(unit, ""))

    def set_inputs(self, unit: str, value: str) -> None:
        if self._units.get(unit) != value:
            self._units[unit] = value
            self._save("units.json", self._units)

    def owe_restart(self, units: list[str]) -> None:
        """Recorded before the change that needs it, so that no death in between forgets it."""
        owing = {
            unit: STALE + self._units[unit] for unit in units if not self._units.get(unit, STALE).startswith(STALE)
        }
        if owing:
            self._units |= owing
            self._save("units.json", self._units)

    def forgive_restarts(self) -> None:
        """After a rollback every unit runs again what is on disk, or never stopped running it."""
        self._units = {unit: inputs.removeprefix(STALE) for unit, inputs in self._units.items()}
        self._save("units.json", self._units)

    def applied(self, key: str) -> str:
        return str(self._applied.get(key, ""))

    def set_applied(self, key: str, digest: str) -> None:
        if self._applied.get(key) != digest:
            self._applied[key] = digest
            self._dirty = True

    def forget_applied(self, keys: list[str]) -> None:
        for key in keys:
            self._dirty |= self._applied.pop(key, None) is not None

    def keep(self, key: str, kind: str, kept: dict[str, Any] | None) -> None:
        """Notes how to undo a change before it is made; the oldest note since the last healthy run is what counts."""
        if self._noted is None:
            self._noted = [note["key"] for note in self.undo_notes()]
        if kept is None or key in self._noted:
            return
        self._noted.append(key)
        number, note = len(self._noted), {"key": key, "kind": kind, "kept": kept}
        files.write(self.undo_path / f"{number:05}.json", json.dumps(note).encode(), mode=0o600)

    def undo_notes(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.undo_path.glob("[0-9]*.json"))]

    def settle(self) -> None:
        """The host is healthy as it is: from here on this is what a rollback comes back to."""
        if self.undo_notes():
            settled = self.root / "undo.settled"
            files.remove_tree(settled)
            self.undo_path.rename(settled)  # in one step: half an undo log would undo half a run
            self.undo_path.mkdir(mode=0o700)
            files.remove_tree(settled)
        self._noted = []
        self.save()

    def save(self) -> None:
        if self._dirty:
            self._save("applied.json", self._applied)
            self._dirty = False
        self.managed.save()

    def _save(self, name: str, value: dict[str, Any]) -> None:
        files.write(self.root / name, json.dumps(value, sort_keys=True).encode(), mode=0o600)


def _load(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def stamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def audit(entry: dict[str, Any]) -> None:
    """Appends one line to the host's audit log; one write, so that two lines never mix."""
    LOGS.mkdir(mode=0o750, parents=True, exist_ok=True)
    line = json.dumps({"time": stamp(), **entry}) + "\n"
    descriptor = os.open(LOGS / "audit.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
