"""What the API and the page are told: plain JSON made of what is known now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from miner.alerts.memory import Mute
from miner.alerts.watch import Standing
from miner.cgminer import MinerState, StickState
from miner.monitor.collect.mining import Api
from miner.readings import Reading
from miner.sticks import expected_ghs
from miner.usb.bus import Device
from miner.usb.known import Known
from runtime import clock
from runtime.payload import Json


def alerts(standing: Iterable[Standing]) -> list[Json]:
    names = ("rule", "target", "severity", "text", "muted", "silence")
    return [{name: getattr(one, name) for name in names} | {"since": clock.iso(one.since)} for one in standing]


def mutes(found: Iterable[Mute]) -> list[Json]:
    return [{"scope": one.scope, "until": clock.iso(one.until), "by": one.by} for one in found]


def readings(latest: Iterable[Reading]) -> list[Json]:
    return [
        {"metric": one.metric, "target": one.target, "value": _rounded(one.value), "note": one.note} for one in latest
    ]


def units(latest: Mapping[tuple[str, str], Reading], restarts: Mapping[str, int]) -> list[Json]:
    found = [one for (metric, _), one in latest.items() if metric == "unit.active"]
    return [
        {"name": one.target, "active": None if one.value is None else one.value > 0, "state": one.note}
        | {"restarts": restarts.get(one.target)}
        for one in found
    ]


def actions(taken: Iterable[Any]) -> list[Json]:
    return [
        {"what": one.what, "at": clock.iso(one.at), "by": one.by, "why": one.why, "outcome": one.outcome or "running"}
        | {"text": one.text}
        for one in taken
    ]


def miner(
    api: Api,
    why: str,
    state: MinerState | None,
    cgminer: Mapping[str, StickState],
    known: Mapping[str, Known],
    present: Mapping[str, Device],
    usable: Mapping[str, bool | None],
    watts: float | None,
) -> Json:
    keys = [*known, *(key for key in cgminer if key not in known)]
    sticks = [_stick(key, cgminer.get(key), known.get(key), present.get(key), usable.get(key), api) for key in keys]
    return {
        "api": api,
        "why": why,
        "total": _total(state, sticks, watts),
        "pools": _pools(state),
        "sticks": sticks,
    }


def _total(state: MinerState | None, sticks: Sequence[Json], watts: float | None) -> Json:
    expected = [
        one["expected_ghs"] for one in sticks if one["expected_ghs"] is not None and one["present"] is not False
    ]
    found: Json = {"watts": watts, "expected_ghs": _rounded(sum(expected)) if expected else None}
    names = ("accepted", "rejected", "stale", "hw_errors", "best_share", "found_blocks")
    found |= {name: getattr(state, name) if state else None for name in names}
    ghs = (state.sticks_ghs if state.sticks_ghs is not None else state.ghs_5m) if state else None
    return found | {
        "ghs": _rounded(ghs),
        "ghs_avg": _rounded(state.ghs_avg) if state else None,
        "uptime_s": state.elapsed_s if state else None,
    }


def _pools(state: MinerState | None) -> list[Json]:
    names = ("number", "url", "user", "status", "priority", "accepted", "rejected", "stale")
    working = state.pool if state else None
    return [
        {name: getattr(pool, name) for name in names} | {"active": pool == working}
        for pool in (state.pools if state else ())
    ]


def _stick(
    key: str, mined: StickState | None, known: Known | None, device: Device | None, usable: bool | None, api: Api
) -> Json:
    """One that only cgminer sees (no sysfs here) has no port; one that only the bus sees, no hashrate."""
    here = mined is not None and not mined.gone
    found: Json = {
        "key": key,
        "serial": known.serial if known else (mined.serial if mined else None),
        "model": known.label if known else (mined.name if mined else None),
        "port": known.port if known else None,
        "driver": device.driver if device else None,
        "present": device is not None if known else (here if mined else None),
        "usable": usable,
    }
    numbers = ("ghs", "mhz", "mhz_asked", "chips", "temperature_c", "hw_errors", "resets", "accepted", "rejected")
    found |= {name: _rounded(getattr(mined, name)) if mined and here else None for name in numbers}
    found["expected_ghs"] = _rounded(mined.expected_ghs) if mined and here else _promised(device)
    found["in_use_by"] = "cgminer" if here else None
    return found | {"status": _status(found, mined, known, api)}


def _promised(device: Device | None) -> float | None:
    """By its model's usual frequency, as long as cgminer does not tell the one it runs at."""
    model = device.model if device else None
    return _rounded(expected_ghs(model, model.default_mhz)) if model else None


def _status(found: Json, mined: StickState | None, known: Known | None, api: Api) -> str:
    """missing, no permission, not mined, gone, disabled, silent, slow, ok, unknown: the first that is true."""
    if known and not found["present"]:
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
    if mined.ratio is not None and mined.ratio < 0.7:
        return "slow"
    return "ok"


def _rounded(value: float | None) -> float | None:
    """Six digits that count: what is measured has no more."""
    if value is None or isinstance(value, int):
        return value
    return float(f"{value:.6g}")
