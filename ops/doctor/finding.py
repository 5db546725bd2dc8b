"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Level = Literal["ok", "notice", "problem"]
Facts = dict[str, Any]
CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class Finding:
    """`name` is for scripts and stays as it is. `means`: why it matters, `mend`: the command; empty when all is well.

    A notice is worth knowing and nothing to be mended at once: it leaves the exit status at 0.
    """

    group: str
    name: str
    level: Level
    says: str
    means: str = ""
    mend: str = ""
    where: str = ""

    def json(self) -> dict[str, str]:
        return asdict(self)


def ok(group: str, name: str, says: str) -> Finding:
    return Finding(group, name, "ok", says)


def notice(group: str, name: str, says: str, means: str = "", mend: str = "") -> Finding:
    return Finding(group, name, "notice", says, means, mend)


def problem(group: str, name: str, says: str, means: str, mend: str) -> Finding:
    return Finding(group, name, "problem", says, means, mend)


def at(where: str, found: Iterable[Finding]) -> list[Finding]:
    """The same, of this host."""
    return [replace(one, where=where) for one in found]


def listed(names: Iterable[str], most: int = 5) -> str:
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
