"""What failed, said once more at the very end: a log of thousands of lines is read from there, or cut off before it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINES = 60
MOST = 20


@dataclass(frozen=True)
class Failed:
    """`name` as pytest takes it after -k, with its module; `text`: the end of what it printed."""

    name: str
    text: str


def failed(folder: Path) -> list[Failed]:
    """Of the JUnit reports in a folder. One that is torn, because its pytest died, holds no names."""
    return [found for path in sorted(folder.glob("*.xml")) for found in _read(path)]


def told(found: list[Failed]) -> str:
    """Each with the end of its report; those beyond MOST by name only."""
    parts = [f"--- {one.name}\n{one.text}\n" for one in found[:MOST]]
    parts += [f"--- {one.name}\n" for one in found[MOST:]]
    return "".join(parts)


def _read(path: Path) -> Iterator[Failed]:
    try:
        tree = ET.parse(path)  # noqa: S314
    except ET.ParseError:
        return
    for case in tree.iter("testcase"):
        for outcome in (*case.iter("failure"), *case.iter("error")):
            name = f"{case.get('classname')}::{case.get('name')}"
            yield Failed(name, "\n".join((outcome.text or outcome.get("message") or "").splitlines()[-LINES:]))
