"""What failed, said once more at the very end: a log of thousands of lines is read from there, or cut off before it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

LINES = 60
MOST = 20


@dataclass(frozen=True)
class Failed:
    """`id` as pytest takes it; `text`: the end of what it printed."""

    id: str
    text: str


def failed(report: Path) -> list[Failed]:
    """Of a JUnit report (family xunit1, which names files). One that is absent or torn tells of none."""
    try:
        tree = ET.parse(report)  # noqa: S314 - our own pytest wrote it a moment ago
    except (ET.ParseError, OSError):
        return []
    return [_failed(case, outcome) for case in tree.iter("testcase") for outcome in _bad(case)[:1]]


def told(found: list[Failed]) -> str:
    """Each with the end of its report; those beyond MOST by name only."""
    parts = [f"--- {one.id}\n{one.text}\n" for one in found[:MOST]]
    return "".join([*parts, *(f"--- {one.id}\n" for one in found[MOST:])])


def _bad(case: ET.Element) -> list[ET.Element]:
    return [*case.iter("failure"), *case.iter("error")]


def _failed(case: ET.Element, outcome: ET.Element) -> Failed:
    text = outcome.text or outcome.get("message") or ""
    return Failed(f"{case.get('file')}::{case.get('name')}", "\n".join(text.splitlines()[-LINES:]))
