"""A systemd unit: its file, whether it starts at boot, whether it runs, and whether it runs what the plan says."""

from __future__ import annotations

from typing import Any

from .. import files, systemd
from ..host import UNITS
from ..memory import Memory
from .base import Change, Kind, State, Want, differ, text_diff

ENABLED = ("enabled", "static", "indirect", "generated", "alias")


class Unit(Kind):
    """want: name, content (text, or null for a vendor's unit), enabled, running (null: not ours), inputs, service.

    `inputs` is a hash of everything the unit must be restarted for. It is stored only after a start has succeeded:
    a run that dies between writing a file and restarting its unit leaves a difference that the next run sees.
    """

    def __init__(self, memory: Memory, drafts: dict[str, str]) -> None:
        self._memory = memory
        self._drafts = drafts
        self._shown: dict[str, dict[str, str]] = {}

    def look_ahead(self, names: list[str]) -> None:
        """Asks systemd about all units of the plan at once."""
        self._shown = systemd.show(names)

    def read(self, want: Want) -> State:
        name = want["name"]
        shown = self._shown.pop(name, None) or systemd.show([name]).get(name, {})
        return systemd.state(name, shown, self._memory.inputs(name))

    def changes(self, state: State, want: Want) -> list[Change]:
        found = self._file(state, want)
        if state["reload"] and not found:
            found = [Change("systemd", "has an older version in memory", "daemon-reload")]
        if want["enabled"] is not None:
            is_enabled = state["enabled"] in ENABLED
            found += differ("enabled", "yes" if is_enabled else "no", "yes" if want["enabled"] else "no")
        return found + self._running(state, want)

    def _file(self, state: State, want: Want) -> list[Change]:
        if want["content"] is None:
            return []
        found, path = state["file"], str(UNITS / want["name"])
        if found["type"] != "file":
            return [
                *([Change("file", found["type"], "file")] if found["type"] != "absent" else []),
                text_diff(path, "", want["content"], secret=False),
            ]
        changed = found["content"] != want["content"]
        wrong = differ("mode", found["mode"], "0644") + differ("owner", found["owner"], "root")
        return ([text_diff(path, found["content"], want["content"], secret=False)] if changed else []) + wrong

    def _running(self, state: State, want: Want) -> list[Change]:
        if want["running"] is None or not state["condition"]:
            return []
        is_running = state["active"] in ("active", "reloading")
        if is_running != want["running"]:
            now = f"{state['active']} ({state['sub']})"
            return [Change("running", now, "active" if want["running"] else "stopped")]
        if is_running and state["inputs"] != want["inputs"]:
            return [Change("restart", "runs what was there before", "runs what the plan says")]
        return []

    def apply(self, want: Want, state: State, changes: list[Change]) -> None:
        name, what = want["name"], {change.what for change in changes}
        if what & {"content", "file", "mode", "owner"}:
            self._write(want, state)
        elif state["reload"]:
            systemd.reload()
        if "enabled" in what:
            systemd.job("enable" if want["enabled"] else "disable", name)
        if want["running"] and what & {"running", "restart", "content"}:
            self._start(want, state)
        elif want["running"] is False and "running" in what:
            systemd.job("stop", name)

    def _write(self, want: Want, state: State) -> None:
        name = want["name"]
        systemd.verify(name, self._drafts)
        self._memory.owe_restart([name])
        files.make_way(str(UNITS / name), state["file"]["type"], "file")
        files.write(UNITS / name, want["content"].encode())
        systemd.reload()

    def _start(self, want: Want, state: State) -> None:
        """A socket cannot be restarted under its running service: systemd does both in one transaction."""
        name, running = want["name"], state["active"] in ("active", "reloading")
        if state["active"] == "failed":
            systemd.run("systemctl", "reset-failed", "--", name, check=False)
        service = [want["service"]] if want["service"] and running else []
        systemd.job("restart" if running else "start", name, *service)
        self._memory.set_inputs(name, want["inputs"])

    def keep(self, state: State, want: Want) -> dict[str, Any]:
        kept: dict[str, Any] = {key: state[key] for key in ("active", "enabled", "inputs")}
        kept |= {"name": want["name"], "service": want["service"]}
        if want["content"] is not None:
            kept["file"] = files.keep(state["file"], str(UNITS / want["name"]))
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Only the file and the enablement; starting waits until every file is back (ops.agent.rollback)."""
        if kept["enabled"] not in ENABLED:
            systemd.run("systemctl", "disable", "--", kept["name"], check=False)
        if "file" in kept and kept["file"]["type"] == "absent":
            systemd.run("systemctl", "stop", "--", kept["name"], check=False, timeout=150)
        if "file" in kept:
            files.restore(kept["file"])

    def skipped(self, state: State, want: Want) -> str:
        if want["running"] and not state["condition"]:
            return "its start condition is not met on this machine (systemctl status says which)"
        return ""
