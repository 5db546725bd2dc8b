"""The sticks that this machine has had: who is who, so that a missing one is missed, and one that is back is known.

A stick is called by its serial number. Those that have none, and each further one of equal number, are called by
number and port: `10014812@1-1.3`, `GSF@1-1.4`. A stick that comes back in another port keeps its name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from miner.usb.bus import Device, hub_of


@dataclass(frozen=True, slots=True)
class Known:
    """`name` is the model's in cgminer's API; `label` what people call it."""

    key: str
    serial: str
    name: str
    label: str
    port: str

    @property
    def hub(self) -> str:
        return hub_of(self.port)


class Unreadable(Exception):
    """The file of known sticks is damaged."""


def settle(known: dict[str, Known], devices: Iterable[Device]) -> dict[str, Device]:
    """Names for what is plugged in now, and `known` brought up to it. Returns the devices by key.

    Those in the port where they were known come first, then those that moved, then new ones: so two with equal numbers
    do not trade their names.
    """
    placed = dict[str, Device]()
    waiting = [one for one in devices if not _take(known, placed, one, _same(known, one))]
    waiting = [one for one in waiting if not _take(known, placed, one, _moved(known, placed, one))]
    for one in waiting:
        _take(known, placed, one, _new(known, one))
    return placed


def _take(known: dict[str, Known], placed: dict[str, Device], one: Device, key: str | None) -> bool:
    if key is None or key in placed:
        return False
    placed[key] = one
    known[key] = Known(key, one.serial, one.model.name, one.model.label, one.port)
    return True


def _same(known: dict[str, Known], one: Device) -> str | None:
    wanted = (one.serial, one.model.label, one.port)
    return next((key for key, k in known.items() if (k.serial, k.label, k.port) == wanted), None)


def _moved(known: dict[str, Known], placed: dict[str, Device], one: Device) -> str | None:
    """Only a name without a port moves: of equal ones nobody knows which it was."""
    found = known.get(one.serial)
    return one.serial if found is not None and one.serial not in placed and found.label == one.model.label else None


def _new(known: dict[str, Known], one: Device) -> str:
    if one.serial and one.serial not in known:
        return one.serial
    return f"{one.serial or one.model.name}@{one.port}"


def load(path: Path) -> dict[str, Known]:
    """Raises Unreadable; a file that is not there is a machine that has had none."""
    try:
        rows = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from error
    try:
        return {row["key"]: Known(**row) for row in rows}
    except (TypeError, KeyError) as error:
        raise Unreadable(f"{path}: not a list of sticks") from error


def save(path: Path, known: dict[str, Known]) -> None:
    """In place of the old file, whole or not at all. Raises OSError."""
    rows = [{name: getattr(one, name) for name in Known.__slots__} for one in known.values()]
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(rows, indent=1) + "\n")
    os.replace(draft, path)  # noqa: PTH105 - the same, and this one cannot be taken for a move across disks
