"""systemd units: their files, whether they start at boot, whether they run, and whether they run what the plan says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import systemd
from ..memory import Memory
from .base import Change, Kind, State, Want, differ
from .paths import File

ENABLED = ("enabled", "static", "indirect", "generated", "alias")
RUNNING = ("active", "reloading")


class UnitFile(File):
    """want: as a File's. systemd reads the new text, with the plan's other unit files, before it is in place."""

    def __init__(self, drafts: dict[str, str]) -> None:
        self._drafts = drafts

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        systemd.verify(Path(want["path"]).name, self._drafts)
        super().apply(want, state, changes)
        systemd.reload()


class Unit(Kind):
    """want: name, enabled, running (null: not ours), inputs, service, follows (optional: restarted, never started).

    `inputs` is a hash of everything the unit must be restarted for, its file included. It is stored only after a start
    has succeeded: a run that dies between writing a file and restarting its unit leaves a difference that the next
    run sees.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._shown: dict[str, dict[str, str]] = {}

    def look_ahead(self, names: list[str]) -> None:
        """Asks systemd about all units of the plan at once; what is asked later is asked anew."""
        self._shown = systemd.show(names)

    def forget(self) -> None:
        """After a change the first answers no longer count: a unit may have been pulled in or stopped by another."""
        self._shown = {}

    def read(self, want: Want) -> State:
        name = want["name"]
        shown = self._shown.pop(name, None) or systemd.show([name])[name]
        return systemd.state(shown, self._memory.inputs(name))

    def changes(self, state: State, want: Want) -> list[Change]:
        found = []
        if state["reload"]:
            found = [Change("systemd", "has an older version in memory", "daemon-reload")]
        if want["enabled"] is not None:
            is_enabled = state["enabled"] in ENABLED
            found += differ("enabled", "yes" if is_enabled else "no", "yes" if want["enabled"] else "no")
        return found + self._running(state, want)

    def _running(self, state: State, want: Want) -> list[Change]:
        if want["running"] is None or not state["condition"]:
            return []
        is_running = state["active"] in RUNNING
        if not is_running and want.get("follows"):
            return []  # another role's unit, which that role has yet to bring up
        if is_running != want["running"]:
            now = f"{state['active']} ({state['sub']})"
            return [Change("running", now, "active" if want["running"] else "stopped")]
        if is_running and state["inputs"] != want["inputs"]:
            return [Change("restart", "runs what was there before", "runs what the plan says")]
        return []

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        name, what = want["name"], {change.what for change in changes}
        if state["reload"]:
            systemd.reload()
        if "enabled" in what:
            systemd.job("enable" if want["enabled"] else "disable", name)
        if what & {"running", "restart"}:
            if want["running"]:
                self._start(want, state)
            else:
                systemd.job("stop", name)

    def _start(self, want: Want, state: State) -> None:
        """A socket cannot be restarted under its running service: systemd does both in one transaction."""
        name, is_running = want["name"], state["active"] in RUNNING
        if state["active"] == "failed":
            systemd.forget_failure(name)
        service = [want["service"]] if want["service"] and is_running else []
        systemd.job("restart" if is_running else "start", name, *service)
        self._memory.set_inputs(name, want["inputs"])

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        kept: dict[str, Any] = {key: state[key] for key in ("active", "enabled", "inputs")}
        return kept | {"name": want["name"], "service": want["service"]}

    def restore(self, kept: dict[str, Any]) -> None:
        """Stops what did not run and disables what was not enabled, while its file is still there.

        Starting waits until every file is back (ops.agent.rollback).
        """
        if kept["active"] not in (*RUNNING, "activating"):
            systemd.stop(kept["name"])
        if kept["enabled"] not in ENABLED:
            systemd.disable(kept["name"])

    def skipped(self, state: State, want: Want) -> str:
        if want["running"] and not state["condition"]:
            return "its start condition is not met on this machine (systemctl status says which)"
        return ""
