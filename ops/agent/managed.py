"""How each managed path was left, so that the host can tell by itself what somebody changed since (miner/drift.py).

Hashes and rights only: no secret is written here. Like the undo log it has two parts. What the last healthy run left
stays until the next healthy one; what was applied since then goes when a rollback undoes it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from . import files

Mark = dict[str, Any]
"""path, type (file, directory, symlink, block), and what counts of it: owner, group, mode, sha256, target, title."""


class Managed:
    """`settled` and `since`: path -> mark, with the role that wants it."""

    def __init__(self, file: Path, loaded: dict[str, Any]) -> None:
        self._file = file
        self._settled: dict[str, Mark] = loaded.get("settled", {})
        self._since: dict[str, Mark] = loaded.get("since", {})
        self._stored = self._text()
        self._seen: set[str] = set()

    def note(self, role: str, marks: list[Mark]) -> None:
        """These paths are as the plan wants them."""
        for mark in marks:
            self._seen.add(mark["path"])
            self._since[mark["path"]] = {"role": role, **mark}

    def settle(self, only: str, roles: list[str]) -> None:
        """The run was healthy. What it did not want any more is nobody's: of `only`, or of the whole host ("")."""
        found = self._settled | self._since
        self._settled = {p: mark for p, mark in found.items() if p in self._seen or _stays(mark, only, roles)}
        self._since = {}

    def undo(self) -> None:
        """The host is as the last healthy run left it."""
        self._since = {}

    def save(self) -> None:
        now = self._text()
        if now != self._stored:
            files.write(self._file, now.encode(), mode=0o600)
            self._stored = now

    def _text(self) -> str:
        return json.dumps({"settled": self._settled, "since": self._since}, sort_keys=True)


def _stays(mark: Mark, only: str, roles: list[str]) -> bool:
    return bool(only) and mark["role"] != only and mark["role"] in roles


def access(want: dict[str, Any], kind: str) -> Mark:
    """The mark of a path by whom it may be used."""
    return {"type": kind, **{key: want[key] for key in ("path", "owner", "group", "mode")}}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
