"""What every kind of resource says on the host: what is, what differs, make it so."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from ..managed import Mark

Want = dict[str, Any]
State = dict[str, Any]


class Change(NamedTuple):
    """One difference between the host and the plan, in the words that a person sees."""

    what: str
    old: str = ""
    new: str = ""
    diff: str = ""

    def json(self) -> dict[str, str]:
        return {key: value for key, value in self._asdict().items() if value}

    def words(self) -> str:
        return self.what if self.diff else f"{self.what}: {self.old or 'nothing'} instead of {self.new}"


class Kind(ABC):
    """A kind of resource.

    `read`, `changes` and `apply` MUST be given; `changes` is pure (cases under tests/ops/agent/cases say what it
    returns). `keep` MAY return what `restore` needs to undo the change; None means that it cannot be undone
    (an installed package stays installed). `marks` MAY say how its paths are once all is as wanted, so that the host
    itself can tell later whether they still are; it is pure too.
    """

    @abstractmethod
    def read(self, want: Want) -> State: ...

    @abstractmethod
    def changes(self, state: State, want: Want) -> list[Change]: ...

    @abstractmethod
    def apply(self, want: Want, state: State, changes: list[Change]) -> None: ...

    def keep(self, state: State, want: Want) -> dict[str, Any] | None:
        return None

    def restore(self, kept: dict[str, Any]) -> None:
        return None

    def marks(self, want: Want) -> list[Mark]:
        return []

    def skipped(self, state: State, want: Want) -> str:
        """Why part of `want` cannot hold on this machine, or ""."""
        return ""


def differ(what: str, old: object, new: object) -> list[Change]:
    return [] if old == new else [Change(what, str(old), str(new))]


def text_diff(path: str, old: str, new: str, *, secret: bool) -> Change:
    """A unified diff, or for a secret file only the hashes."""
    if secret:
        return Change("content", _digest(old), _digest(new))
    import difflib  # only where something differs: a run that changes nothing stays fast

    lines = difflib.unified_diff(
        printable(old).splitlines(), printable(new).splitlines(), f"{path} (host)", f"{path} (plan)", lineterm="", n=2
    )
    return Change("content", diff="\n".join(lines) or "(only the end of the last line differs)")


def printable(text: str) -> str:
    """Text that can be sent and shown, whatever bytes the file held."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
