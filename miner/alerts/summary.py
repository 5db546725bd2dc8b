"""The day in a few lines: what was mined, what went wrong, what still is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from miner.alerts.words import Words, length

Figures = Mapping[str, Any]
"""As `total` of `GET /api/miner`: ghs, expected_ghs, accepted, rejected, stale, best_share, uptime_s, watts; also
sticks_present and sticks_known. What is missing or None is left out."""

NAMED = 8


def text(figures: Figures, counts: Mapping[str, int], standing: Sequence[str], words: Words) -> str:
    """`counts`: how often each rule fired since yesterday; `standing`: what is wrong now."""
    lines = [words("daily"), *_mined(figures, words)]
    said = ", ".join(f"{rule} × {n}" for rule, n in sorted(counts.items(), key=lambda one: -one[1])[:NAMED])
    lines.append(words("d_alerts", list=said) if said else words("d_none"))
    lines.append(words("d_standing", list="; ".join(standing[:NAMED])) if standing else words("d_calm"))
    return "\n".join(lines)


def last_due(at: datetime, minute: int, zone: ZoneInfo) -> datetime:
    """The last moment, not after `at`, at which the clock of the zone showed this minute of the day."""
    here = at.astimezone(zone)
    due = here.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return due if due <= here else due - timedelta(days=1)


def _mined(found: Figures, words: Words) -> list[str]:
    lines = []
    ghs, expected = found.get("ghs"), found.get("expected_ghs")
    if ghs is not None:
        lines.append(words("d_ghs_of" if expected else "d_ghs", ghs=_number(ghs), expected=_number(expected)))
    if found.get("sticks_known"):
        lines.append(words("d_sticks", present=found.get("sticks_present"), known=found["sticks_known"]))
    if found.get("accepted") is not None:
        shares = {name: _number(found.get(name) or 0) for name in ("accepted", "rejected", "stale")}
        lines.append(words("d_shares", **shares))
    if found.get("best_share"):
        lines.append(words("d_best", best=_large(found["best_share"])))
    if found.get("uptime_s"):
        lines.append(words("d_uptime", uptime=length(found["uptime_s"])))
    if found.get("watts"):
        lines.append(words("d_watts", watts=_number(found["watts"])))
    return lines


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) and not value.is_integer() else f"{value or 0:.0f}"


def _large(value: float) -> str:
    for mark, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {mark}"
    return f"{value:.0f}"
