"""From changes to the few messages that people get. Pure.

What is told at the same moment goes together: what began in one notice, what ended in another. After twenty
notices within a minute the next ones wait for company: see `Pace`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from miner.alerts.rule import RANK, Rules, Severity
from miner.alerts.states import Change
from miner.alerts.words import ICONS, Words, length

NoticeKind = Literal["firing", "resolved", "repeat", "action", "summary", "info"]

LINES = 20
"""So many alerts are named in one notice; of more the rest is counted."""
BURST_SECONDS = 60.0
GATHERED = ((40, 10.0), (20, 1.0))
"""After so many notices of changes within a minute, what follows is gathered for so many seconds. 20 a minute is what
Telegram lets a group have."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to people; `key` makes it once, wherever it goes. `ts` is UTC, ISO 8601. `text`: lines, no markup."""

    key: str
    ts: str
    host: str
    kind: NoticeKind
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice that has no key yet; `places`: which of the changes it tells."""

    kind: NoticeKind
    severity: Severity
    text: str
    places: tuple[int, ...]


_KINDS: Mapping[str, NoticeKind] = {
    "firing": "firing",
    "flapping": "firing",
    "steady": "firing",
    "repeat": "repeat",
    "resolved": "resolved",
}
_TITLES: Mapping[NoticeKind, str] = {"firing": "alerts", "resolved": "ends", "repeat": "repeats"}


def drafted(changes: Sequence[Change], rules: Rules, words: Words) -> list[Draft]:
    """At most one notice of each kind, in the order in which the kinds first come up."""
    groups: dict[NoticeKind, list[int]] = {}
    for place, change in enumerate(changes):
        groups.setdefault(_KINDS[change.kind], []).append(place)
    return [_draft(kind, places, changes, rules, words) for kind, places in groups.items()]


def _draft(kind: NoticeKind, places: list[int], changes: Sequence[Change], rules: Rules, words: Words) -> Draft:
    ordered = sorted(places, key=lambda place: -RANK[changes[place].severity])
    lines = [line(changes[place], rules, words) for place in ordered]
    if len(lines) > 1:
        shown = lines[:LINES]
        rest = [words("more", n=len(lines) - LINES)] if len(lines) > LINES else []
        lines = [words(_TITLES[kind], n=len(lines)), *shown, *rest]
    return Draft(kind, changes[ordered[0]].severity, "\n".join(lines), tuple(places))


def line(change: Change, rules: Rules, words: Words) -> str:
    """One change, on one line."""
    rule = rules.rules.get(change.rule)
    text = words.alert(change.rule, rule.metric if rule else "", change.target, change.value, change.note)
    icon = ICONS[change.severity]
    if change.kind == "firing":
        return f"{icon} {text}"
    name = change.kind
    if change.kind == "resolved":
        name = change.why if change.why in ("gone", "off") else "stable" if change.count else "resolved"  # type: ignore[assignment]
    return words(name, icon=icon, text=text, count=change.count, length=length(change.seconds))


class Pace:
    """When the changes that wait are told. The first notices of a minute go at once; a storm is gathered."""

    def __init__(self) -> None:
        self._sent: list[float] = []
        self._until: float | None = None

    def is_due(self, now: float, waiting: int) -> bool:
        """Whether what waits goes now; on the steady clock."""
        self._sent = [at for at in self._sent if now - at < BURST_SECONDS]
        if not waiting:
            return False
        gather = next((seconds for count, seconds in GATHERED if len(self._sent) >= count), 0.0)
        if self._until is None and gather:
            self._until = now + gather
        return self._until is None or now >= self._until

    @property
    def due(self) -> float:
        """When what waits goes, on the steady clock; infinity: nothing waits."""
        return float("inf") if self._until is None else self._until

    def sent(self, now: float, count: int) -> None:
        self._until = None
        self._sent += [now] * count
