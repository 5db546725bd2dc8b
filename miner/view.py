"""What people and scripts are shown of a miner: sticks on the bus and sticks in cgminer, as one list. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miner.cgminer.models import MinerState, Pool, StickState
from miner.detect import Stick
from miner.sticks import by_name

Json = dict[str, Any]
FAIR = 0.8
"""Of the promised hashrate; below it a stick is called slow."""


def view(
    state: MinerState | None, found: Sequence[Stick], *, api: str, why: str = "", watts: float | None = None
) -> Json:
    """`api`: up, down, slow or strange. Without a state there are no totals, and only the sticks that the bus shows."""
    sticks = _sticks(state.sticks if state else (), found)
    pools = [_pool(one) for one in state.pools] if state else []
    return {"api": api, "why": why, "total": _total(state, watts), "pools": pools, "sticks": sticks}


def _total(state: MinerState | None, watts: float | None) -> Json:
    if state is None:
        keys = ("ghs", "expected_ghs", "accepted", "rejected", "stale", "hw_errors", "best_share", "uptime_s", "pool")
        return dict.fromkeys(keys) | {"watts": watts, "ghs_per_watt": None}
    ghs = state.sticks_ghs if state.sticks else state.ghs
    total: Json = {"ghs": _round(ghs), "expected_ghs": _round(state.expected_ghs), "accepted": state.accepted}
    total |= {"rejected": state.rejected, "stale": state.stale, "hw_errors": state.hw_errors}
    total |= {
        "best_share": state.best_share,
        "uptime_s": state.elapsed_s,
        "pool": state.pool.url if state.pool else None,
    }
    return total | {"watts": watts, "ghs_per_watt": _round(ghs / watts) if ghs is not None and watts else None}


def _pool(pool: Pool) -> Json:
    keys = ("number", "url", "user", "status", "active", "priority", "accepted", "rejected", "stale")
    return {key: getattr(pool, key) for key in keys}


def _sticks(known: Sequence[StickState], found: Sequence[Stick]) -> list[Json]:
    """Paired by serial number; what only one side knows stands for itself."""
    left = list(found)
    rows = []
    for state in known:
        there = next((one for one in left if one.serial and one.serial == state.serial and not state.gone), None)
        if there:
            left.remove(there)
        rows.append(_row(state, there))
    return rows + [_row(None, one) for one in left]


def _row(state: StickState | None, there: Stick | None) -> Json:
    model = by_name(state.name, state.chips) if state else None
    serial = (state.serial if state else None) or (there.serial if there else None)
    port = there.port if there else None
    row: Json = {"key": serial or port or (f"{state.name}{state.asc}" if state else ""), "serial": serial}
    row |= {"model": there.type if there else model.label if model else state.name if state else ""}
    row |= {"port": port, "driver": there.driver if there else None}
    # A container's sysfs may show no USB at all: then cgminer's word counts.
    row |= {"present": there is not None or bool(state and not state.gone), "usable": there.usable if there else None}
    keys = ("mhz", "mhz_asked", "chips", "temperature_c", "hw_errors", "resets", "accepted")
    row |= {key: getattr(state, key) if state else None for key in keys}
    row |= {"ghs": _round(state.ghs) if state else None, "expected_ghs": _round(_promised(state, there))}
    return row | {"in_use_by": there.in_use_by if there else None, "status": _status(state, there)}


def _promised(state: StickState | None, there: Stick | None) -> float | None:
    return state.expected_ghs if state and state.expected_ghs is not None else there.expected_ghs if there else None


def _status(state: StickState | None, there: Stick | None) -> str:
    if state is None:
        return "no permission" if there and there.usable is False else "not in cgminer"
    if state.gone:
        return "unplugged"
    if state.enabled is False:
        return "off"
    return "slow" if state.ratio is not None and state.ratio < FAIR else "mining"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
