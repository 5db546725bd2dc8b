"""What the API and the page are told: plain JSON made of what is known now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from miner import notes
from miner.alerts.memory import Mute
from miner.alerts.watch import Standing
from miner.cgminer import StickState
from miner.readings import Reading
from miner.shown import OnBus, Pair, rounded
from miner.sticks import expected_ghs
from miner.usb.bus import Device
from miner.usb.known import Known
from runtime import clock
from runtime.convert import Language
from runtime.payload import Json


def alerts(standing: Iterable[Standing]) -> list[Json]:
    names = ("rule", "target", "severity", "text", "muted", "silence")
    return [{name: getattr(one, name) for name in names} | {"since": clock.iso(one.since)} for one in standing]


def mutes(found: Iterable[Mute]) -> list[Json]:
    return [{"scope": one.scope, "until": clock.iso(one.until), "by": one.by} for one in found]


def readings(latest: Iterable[Reading], language: Language) -> list[Json]:
    return [
        {"metric": one.metric, "target": one.target, "value": rounded(one.value)}
        | {"note": notes.told(one.note, one.metric, language)}
        for one in latest
    ]


def units(latest: Mapping[tuple[str, str], Reading], restarts: Mapping[str, int], language: Language) -> list[Json]:
    found = [one for (metric, _), one in latest.items() if metric == "unit.active"]
    return [
        {
            "name": one.target,
            "active": None if one.value is None else one.value > 0,
            "state": notes.told(one.note, one.metric, language),
        }
        | {"restarts": restarts.get(one.target)}
        for one in found
    ]


def actions(taken: Iterable[Any]) -> list[Json]:
    return [
        {"what": one.what, "at": clock.iso(one.at), "by": one.by, "why": one.why, "outcome": one.outcome or "running"}
        | {"text": one.text}
        for one in taken
    ]


def pairs(
    cgminer: Mapping[str, StickState],
    known: Mapping[str, Known],
    present: Mapping[str, Device],
    usable: Mapping[str, bool | None],
) -> Iterator[Pair]:
    """Sticks that were known first, then those that only cgminer has."""
    for key, one in known.items():
        yield key, cgminer.get(key), _on_bus(one, present.get(key), usable.get(key))
    yield from ((key, one, None) for key, one in cgminer.items() if key not in known)


def _on_bus(known: Known, device: Device | None, usable: bool | None) -> OnBus:
    """Promised is what its model does at its usual frequency, as long as cgminer does not tell the one it runs at."""
    promised = expected_ghs(device.model, device.model.default_mhz) if device else None
    driver = device.driver if device else None
    return OnBus(known.serial, known.label, known.port, driver, device is not None, usable, promised)
