"""What people and programs are shown of a miner: the sticks of the bus and those of cgminer as one list. Pure.

The monitor's API and page, Telegram and `./inv miner.status` all show this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from miner.cgminer.models import MinerState, StickState

Json = dict[str, Any]
Api = Literal["up", "down", "slow", "off", "strange"]
"""`slow`: it hangs; `off`: none is watched; `strange`: what answers is no cgminer, or refuses us."""
FAIR = 0.7
"""Of the promised hashrate; below it a stick is called slow, and the default rules tell of it."""

_NUMBERS = ("ghs", "mhz", "mhz_asked", "chips", "temperature_c", "hw_errors", "resets", "accepted", "rejected")
_COUNTS = ("accepted", "rejected", "stale", "hw_errors", "best_share", "found_blocks")
_POOL = ("number", "url", "user", "status", "priority", "accepted", "rejected", "stale")


@dataclass(frozen=True, slots=True)
class OnBus:
    """A stick that the bus has, or had. `expected_ghs` at the frequency that is set for it."""

    serial: str
    model: str
    port: str
    driver: str | None
    present: bool
    usable: bool | None
    expected_ghs: float | None
    in_use_by: str = ""


Pair = tuple[str, StickState | None, OnBus | None]
"""A stick's key, what cgminer says of it, and what the bus does."""


def miner(api: Api, why: str, state: MinerState | None, pairs: Iterable[Pair], watts: float | None) -> Json:
    """`watts` as configured. Without a state there are no totals, and of sticks only what the bus shows."""
    sticks = [_stick(api, *pair) for pair in pairs]
    return {"api": api, "why": why, "total": _total(state, sticks, watts), "pools": pools(state), "sticks": sticks}


def pools(state: MinerState | None) -> list[Json]:
    working = state.pool if state else None
    return [
        {name: getattr(pool, name) for name in _POOL} | {"active": pool == working}
        for pool in (state.pools if state else ())
    ]


def rounded(value: float | None) -> float | None:
    """Six digits that count: what is measured has no more."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.6g}")


def _total(state: MinerState | None, sticks: Sequence[Json], watts: float | None) -> Json:
    promised = [one["expected_ghs"] for one in sticks if one["expected_ghs"] is not None and one["present"]]
    ghs = (state.sticks_ghs if state.sticks_ghs is not None else state.ghs_5m) if state else None
    return {
        "ghs": rounded(ghs),
        "ghs_avg": rounded(state.ghs_avg) if state else None,
        "expected_ghs": rounded(sum(promised)) if promised else None,
        **{name: getattr(state, name) if state else None for name in _COUNTS},
        "uptime_s": state.elapsed_s if state else None,
        "pool": state.pool.url if state and state.pool else None,
        "watts": watts,
        "ghs_per_watt": rounded(ghs / watts) if ghs is not None and watts else None,
    }


def _stick(api: Api, key: str, mined: StickState | None, bus: OnBus | None) -> Json:
    """One that only cgminer sees (no sysfs here) has no port; one that only the bus sees, no hashrate."""
    here = mined is not None and not mined.gone
    found: Json = {
        "key": key,
        "serial": bus.serial if bus else (mined.serial if mined else None),
        "model": bus.model if bus else (mined.name if mined else None),
        "port": bus.port if bus else None,
        "driver": bus.driver if bus else None,
        "present": bus.present if bus else here,
        "usable": bus.usable if bus else None,
    }
    found |= {name: rounded(getattr(mined, name)) if here else None for name in _NUMBERS}
    promised = mined.expected_ghs if mined is not None and here else None
    found["expected_ghs"] = rounded(promised if promised is not None or bus is None else bus.expected_ghs)
    found["in_use_by"] = (bus.in_use_by if bus else "") or ("cgminer" if here else None)
    return found | {"status": _status(api, found, mined)}


def _status(api: Api, found: Json, mined: StickState | None) -> str:
    """missing, no_permission, unknown, not_mined, disabled, silent, slow, ok: the first that is true."""
    if not found["present"]:
        return "missing"
    if found["usable"] is False:
        return "no_permission"
    if api != "up":
        return "unknown"
    if mined is None or mined.gone:
        return "not_mined"
    if mined.enabled is False:
        return "disabled"
    if mined.ghs == 0:
        return "silent"
    return "slow" if mined.ratio is not None and mined.ratio < FAIR else "ok"
