"""Joining `summary`, `pools`, `devs` and `stats` to one MinerState. Pure, but for what is remembered of sticks.

A stick is in `devs` by number (ASC 0, Name GSF, ID 0) and in `stats` by name ("GSF0"), and only `stats` has its serial
number, as long as it is plugged in. A replugged one is a new row beside the old. So whoever joins remembers which
serial number a row had.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from datetime import UTC, datetime, timedelta

from miner.cgminer.models import MinerState, Pool, StickState
from miner.cgminer.reply import Reply, Row, count, flag, number, text
from miner.sticks import by_name, expected_ghs

COMMAND = "summary+pools+devs+stats"
Serials = MutableMapping[str, str]
"""Serial numbers by the API's name of a row, "GSF0"."""

_RECENT = re.compile(r"MHS \d+s")
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_NO_SENSOR = -273.0
_CLEARLY = timedelta(seconds=1)
"""The API's times are whole seconds."""


def join(reply: Reply, serials: Serials) -> MinerState:
    """`reply` is the one to COMMAND; `serials` is read and brought up to date."""
    summary = reply.part("summary").row("SUMMARY")
    pools = tuple(_pool(row, at) for at, row in enumerate(reply.part("pools").rows("POOLS")))
    return MinerState(
        elapsed_s=number(summary, "Elapsed"),
        ghs=_ghs(summary, _recent(summary), "MHS av"),
        ghs_5m=_ghs(summary, "MHS 5m"),
        ghs_avg=_ghs(summary, "MHS av"),
        accepted=count(summary, "Accepted"),
        rejected=count(summary, "Rejected"),
        stale=count(summary, "Stale"),
        hw_errors=count(summary, "Hardware Errors"),
        best_share=number(summary, "Best Share"),
        found_blocks=count(summary, "Found Blocks"),
        utility=number(summary, "Utility"),
        last_work=_moment(summary, "Last getwork"),
        pools=tuple(sorted(pools, key=lambda pool: pool.number)),
        sticks=_sticks(reply, serials),
    )


def _pool(row: Row, at: int) -> Pool:
    number_ = count(row, "POOL")
    return Pool(
        number=at if number_ is None else number_,
        url=text(row, "URL") or text(row, "Stratum URL") or "",
        user=text(row, "User") or "",
        status=text(row, "Status"),
        priority=count(row, "Priority"),
        active=flag(row, "Stratum Active"),
        accepted=count(row, "Accepted"),
        rejected=count(row, "Rejected"),
        stale=count(row, "Stale"),
        difficulty=number(row, "Stratum Difficulty", "Last Share Difficulty"),
        best_share=number(row, "Best Share"),
    )


def _sticks(reply: Reply, serials: Serials) -> tuple[StickState, ...]:
    stats = {text(row, "ID") or "": row for row in reply.part("stats").rows("STATS")}
    found = []
    now = reply.part("devs").status.when
    for at, row in enumerate(reply.part("devs").rows("DEVS")):
        key = f"{text(row, 'Name') or '?'}{count(row, 'ID') if count(row, 'ID') is not None else at}"
        detail = stats.get(key, {})
        if serial := text(detail, "Serial"):
            serials[key] = serial
        found.append(_stick(row, detail, serials.get(key), at, now))
    return _once([stick for stick in found if not _is_back(stick, found)])


def _stick(row: Row, detail: Row, serial: str | None, at: int, now: float | None) -> StickState:
    name, chips, mhz = text(row, "Name") or "?", count(detail, "Chips"), number(detail, "Frequency")
    asc = count(row, "ASC", "PGA")
    gone = flag(row, "No Device") is True
    return StickState(
        serial=serial,
        name=name,
        asc=at if asc is None else asc,
        ghs=0.0 if gone else _measured(row, detail),
        expected_ghs=_promised(name, chips, mhz, detail),
        mhz=mhz,
        mhz_asked=number(detail, "FreqSel"),
        mhz_target=number(detail, "FreqReq"),
        chips=chips,
        temperature_c=_temperature(row, detail),
        accepted=count(row, "Accepted"),
        rejected=count(row, "Rejected"),
        hw_errors=count(row, "Hardware Errors"),
        nonces=count(detail, "Nonces"),
        resets=count(detail, "Resets"),
        enabled=flag(row, "Enabled"),
        gone=gone,
        last_share=_moment(row, "Last Share Time"),
        last_work=_moment(row, "Last Valid Work"),
        since=_since(row, now),
    )


def _since(row: Row, now: float | None) -> datetime | None:
    spent = number(row, "Device Elapsed")
    return None if now is None or spent is None else _moment({"at": now - spent}, "at")


def _is_back(old: StickState, found: list[StickState]) -> bool:
    """Whether a row that is gone, and whose serial number nobody remembers, is a stick that was plugged in again: one
    of its kind began after its last sign of life. So whoever asks once is not told of a ghost for ever."""
    if not old.gone or old.serial is not None or old.last_work is None:
        return False
    later = [one for one in found if not one.gone and one.name == old.name and one.since]
    return any(one.since and one.since > old.last_work + _CLEARLY for one in later)


def _once(found: list[StickState]) -> tuple[StickState, ...]:
    """Of a replugged stick only the row that lives, of one that is gone only the newest. What has no serial number
    cannot be told apart, and stays."""
    newest = {stick.serial: stick for stick in found if stick.serial is not None and stick.gone}
    there = {stick.serial for stick in found if not stick.gone}
    return tuple(
        stick
        for stick in found
        if not stick.gone or stick.serial is None or (stick.serial not in there and newest[stick.serial] is stick)
    )


def _measured(row: Row, detail: Row) -> float | None:
    """The driver's own count over five minutes; other drivers leave it to cgminer."""
    counted = number(detail, "GHGHs")
    return counted if counted is not None else _ghs(row, "MHS 5m", _recent(row), "MHS av")


def _promised(name: str, chips: int | None, mhz: float | None, detail: Row) -> float | None:
    if (model := by_name(name, chips)) and mhz:
        return expected_ghs(model, mhz, chips)
    required, share = number(detail, "RequireGH"), number(detail, "Require")
    return required / share if required and share else None


def _temperature(row: Row, detail: Row) -> float | None:
    """Only GSA sticks have a sensor; the others say 0.00, and one that is not read yet -999."""
    found = number(detail, "Temp") if text(row, "Name") == "GSA" else None
    found = number(row, "Temperature") if found is None else found
    return found if found is not None and found > _NO_SENSOR and found != 0 else None


def _ghs(row: Row, *keys: str) -> float | None:
    found = number(row, *(key for key in keys if key))
    return None if found is None else found / 1000


def _recent(row: Row) -> str:
    """`MHS 5s` is named after cgminer's log interval."""
    return next((key for key in row if _RECENT.fullmatch(key)), "")


def _moment(row: Row, key: str) -> datetime | None:
    at = number(row, key)
    return datetime.fromtimestamp(at, UTC) if at is not None and 0 < at < _LATEST else None
