"""Goes through the document once, in the order written: compare, validate, apply, look again, report."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

from .channel import Channel
from .host import HostError, explain
from .kinds import all_kinds
from .kinds.base import Change, Kind, State
from .kinds.unit import RUNNING, Unit
from .memory import Memory

Item = dict[str, Any]


class Tally:
    """How a run went so far."""

    def __init__(self) -> None:
        self.changed: list[str] = []
        self.failed: list[str] = []
        self.unit_failed = ""
        self.interrupted = ""


class Engine:
    def __init__(self, document: dict[str, Any], memory: Memory, channel: Channel) -> None:
        self._items: list[Item] = document["resources"]
        self._after: dict[str, list[str]] = document["after"]
        self._needs: dict[str, list[str]] = document.get("needs", {})
        self._apply = document["mode"] == "apply"
        self._memory = memory
        self._channel = channel
        files = [item["want"] for item in self._items if item["kind"] == "unit-file"]
        drafts = {want["path"].rpartition("/")[2]: want["content"] for want in files}
        self.kinds = all_kinds(memory, drafts, lambda event, text: channel.emit(event, text=text))
        units = self.kinds["unit"]
        assert isinstance(units, Unit)  # noqa: S101 - told to the type checker
        self._units = units
        self.tally = Tally()
        self._changing: set[str] = set()
        self._stopped: dict[str, str] = {}

    def run(self) -> Tally:
        self._units.look_ahead([item["want"]["name"] for item in self._items if item["kind"] == "unit"])
        for item in self._items:
            if self.tally.unit_failed:
                self._report(item, "skipped", 0, why=f"{self.tally.unit_failed} would not run: the run is undone")
            elif not self._interrupted():
                self._step(item)
        self._interrupted()
        return self.tally

    def _interrupted(self) -> str:
        self.tally.interrupted = self.tally.interrupted or self._channel.interrupted
        return self.tally.interrupted

    def _step(self, item: Item) -> None:
        if cause := self._blocked(item["role"]):
            self._report(item, "skipped", 0, why=cause)
            return
        self._channel.emit("start", role=item["role"], resource=item["key"])
        start = time.perf_counter()
        try:
            result, changes, why = self._one(item, self.kinds[item["kind"]])
        except (HostError, OSError) as error:
            told = error if isinstance(error, HostError) else explain(error)
            self._fail(item, told, start)
            return
        self._report(item, result, start, changes=changes, why=why)

    def _one(self, item: Item, kind: Kind) -> tuple[str, list[Change], str]:
        want = item["want"]
        state = kind.read(want)
        changes = kind.changes(state, want)
        changes += self._follows(item, state, changes)
        if not changes:
            self._as_wanted(item, kind)
            why = kind.skipped(state, want)
            return ("skipped" if why else "ok"), [], why
        drifted = self._memory.applied(item["key"]) == digest(want)
        self.tally.changed.append(item["key"])
        self._changing.add(item["key"])
        if not self._apply:
            return ("drift" if drifted else "change"), changes, ""
        self._memory.keep(item["key"], item["kind"], kind.keep(state, want))
        self._memory.owe_restart(item["restarts"])
        self._units.forget()
        kind.apply(want, state, changes)
        self._look_again(item, kind)
        return "changed", changes, ""

    def _follows(self, item: Item, state: State, found: list[Change]) -> list[Change]:
        """In a plan nothing is written, so a restart that would follow from a change is seen here."""
        causes = [key for key in item["want"].get("restart_on", []) if key in self._changing]
        if self._apply or not causes or item["want"]["running"] is not True or state["active"] not in RUNNING:
            return []
        if any(change.what == "restart" for change in found):
            return []
        return [Change("restart", "runs what was there before", "because " + ", ".join(causes) + " would change")]

    def _look_again(self, item: Item, kind: Kind) -> None:
        left = kind.changes(kind.read(item["want"]), item["want"])
        if left:
            words = "; ".join(change.words() for change in left)
            unit = {"unit": item["want"].get("name"), "compose": item["want"].get("unit")}.get(item["kind"]) or ""
            raise HostError(
                f"it was applied but the host still differs: {words}", "something else changes it", unit=unit
            )
        self._as_wanted(item, kind)

    def _as_wanted(self, item: Item, kind: Kind) -> None:
        self._memory.set_applied(item["key"], digest(item["want"]))
        self._memory.managed.note(item["role"], kind.marks(item["want"]))

    def _blocked(self, role: str) -> str:
        if role in self._stopped:
            return self._stopped[role]
        if lacking := next((key for key in self._needs.get(role, ()) if key in self.tally.failed), ""):
            return f"{lacking} failed"
        return next((f"role {name} failed" for name in self._after.get(role, ()) if self.is_stopped(name)), "")

    def is_stopped(self, role: str) -> bool:
        """Whether this role, or one that it stands on, failed in this run."""
        return bool(self._blocked(role))

    def _fail(self, item: Item, error: HostError, start: float) -> None:
        self.tally.failed.append(item["key"])
        self._stopped[item["role"]] = f"{item['key']} failed"
        self.tally.unit_failed = error.unit
        self._report(item, "failed", start, why=str(error), hint=error.hint)

    def _report(
        self, item: Item, result: str, start: float, *, changes: list[Change] | None = None, **why: str
    ) -> None:
        spent = (time.perf_counter() - start) * 1000 if start else 0.0
        fields: dict[str, Any] = {key: value for key, value in why.items() if value}
        fields["changes"] = [change.json() for change in changes or ()]
        self._channel.emit(
            "result", role=item["role"], resource=item["key"], result=result, ms=round(spent, 1), **fields
        )


def digest(want: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(want, sort_keys=True).encode()).hexdigest()
