"""Brings a host back to what it was at the end of the last healthy run."""

from __future__ import annotations

from typing import Any

from . import systemd
from .host import HostError, explain
from .kinds.base import Kind
from .memory import Memory


def roll_back(memory: Memory, kinds: dict[str, Kind]) -> list[str]:
    """Undoes every noted change, newest first, then brings units back in the order they were started.

    Returns what could not be undone, in words; nothing stops it half-way. Packages, users and checkouts stay:
    they do no harm, and removing them could.
    """
    notes = memory.undo_notes()
    problems = [problem for note in reversed(notes) if (problem := _restore(kinds[note["kind"]], note))]
    units = [note["kept"] for note in notes if note["kind"] == "unit"]
    if units:
        systemd.reload()
    problems += [problem for kept in units if (problem := _bring_back(memory, kept))]
    memory.forget_applied([note["key"] for note in notes])
    memory.managed.undo()
    if not problems:
        memory.forgive_restarts()
        memory.settle()
    return problems


def _restore(kind: Kind, note: dict[str, Any]) -> str:
    try:
        kind.restore(note["kept"])
    except (HostError, OSError) as error:
        return f"{note['key']}: {error if isinstance(error, HostError) else explain(error)}"
    return ""


def _bring_back(memory: Memory, kept: dict[str, Any]) -> str:
    name = kept["name"]
    try:
        if kept["enabled"] == "enabled":
            systemd.job("enable", name)
        if kept["active"] in ("active", "reloading", "activating"):
            systemd.forget_failure(name)
            systemd.job("restart", name, *([kept["service"]] if kept["service"] else []))
    except HostError as error:
        return f"{name}: {error}"
    memory.set_inputs(name, kept["inputs"])
    return ""
