"""What was done, for good: a line of JSON when an action begins, one when it has ended. Limits count over restarts.

`{"begun": {...}}` and `{"ended": {"id", "outcome", "text"}}`. A last line that a crash cut off is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from miner.actions import policy
from miner.actions.policy import Taken
from runtime import clock

KEPT = 500
LONGEST = 2 * KEPT
"""Lines at which the file is written anew with the newest KEPT actions."""


class Ledger:
    """Raises OSError when it cannot be read or written: what cannot be recorded is not done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._actions: dict[str, Taken] = {}
        lines = self._lines()
        for line in lines:
            self._take(line)
        if len(lines) > LONGEST:
            self._shorten()

    @property
    def all(self) -> tuple[Taken, ...]:
        """Oldest first."""
        return tuple(self._actions.values())

    def begin(self, action: Taken) -> None:
        self._append({"begun": _as_json(action)})
        self._actions[action.id] = action

    def end(self, action: Taken, outcome: str, text: str) -> Taken:
        """`outcome`: done, failed or unknown. Returns the action with it."""
        self._append({"ended": {"id": action.id, "outcome": outcome, "text": text}})
        self._actions[action.id] = policy.ended(action, outcome, text)
        return self._actions[action.id]

    def _append(self, line: dict[str, Any]) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(fd).st_size
            torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            blob = ("\n" if torn else "") + json.dumps(line) + "\n"
            if os.write(fd, blob.encode()) != len(blob.encode()):
                os.ftruncate(fd, size)
                raise OSError(28, "No space left on device", str(self._path))
            os.fsync(fd)
        finally:
            os.close(fd)

    def _lines(self) -> list[str]:
        return self._path.read_text(errors="replace").splitlines() if self._path.exists() else []

    def _take(self, line: str) -> None:
        try:
            said = json.loads(line)
            if "begun" in said:
                action = _of_json(said["begun"])
                self._actions[action.id] = action
            elif found := self._actions.get(said["ended"]["id"]):
                told = said["ended"]
                self._actions[found.id] = replace(found, outcome=str(told["outcome"]), text=str(told["text"]))
        except (ValueError, KeyError, TypeError):
            return  # torn by a crash

    def _shorten(self) -> None:
        self._actions = dict(list(self._actions.items())[-KEPT:])
        new = self._path.with_name(f"{self._path.name}.new")
        with new.open("w") as out:
            out.writelines(f"{json.dumps(line)}\n" for line in self._told())
            out.flush()
            os.fsync(out.fileno())
        new.replace(self._path)

    def _told(self) -> Iterator[dict[str, Any]]:
        for action in self._actions.values():
            yield {"begun": _as_json(replace(action, outcome="", text=""))}
            if action.outcome:
                yield {"ended": {"id": action.id, "outcome": action.outcome, "text": action.text}}


def _as_json(action: Taken) -> dict[str, Any]:
    return {**asdict(action), "at": clock.iso(action.at)}


def _of_json(said: dict[str, Any]) -> Taken:
    return Taken(**{**said, "at": clock.from_iso(said["at"])})
