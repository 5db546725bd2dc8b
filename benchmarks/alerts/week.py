"""A made-up week of a rig with 20 sticks, read every 5 s, with 40 faults planted in it. Always the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from miner.readings import Cycle, Moment, Reading

Key = tuple[str, str]
Values = Mapping[Key, float | None]

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EVERY, WEEK, SLOTS = 5.0, 7 * 86_400.0, 46
VARIANTS = 64
"""So many noisy cycles are made beforehand: making readings is not what is measured."""
RAMP = 300.0
"""Seconds that a hashrate over five minutes takes to come back."""
STICKS = tuple(f"GSF-{number:08}" for number in range(20))
HUBS = ("1-1", "1-2")
UNITS = ("tv-webhook", "tv-outbox", "perf", "tv-telegram", "cgminer")
WITHIN = {stick: HUBS[place % 2] for place, stick in enumerate(STICKS)} | {name: f"{name}.service" for name in UNITS}

# metric, usual value, by how much it wavers
_STICK = (
    ("stick.present", 1.0, 0.0),
    ("stick.usable", 1.0, 0.0),
    ("stick.ghs", 340.0, 12.0),
    ("stick.hashrate_ratio", 0.97, 0.08),
    ("stick.frequency_ratio", 0.99, 0.02),
    ("stick.resets_per_hour", 0.5, 0.5),
    ("stick.hw_error_ratio", 0.01, 0.01),
)
_MINER = (
    ("miner.api", 1.0, 0.0),
    ("miner.api_s", 0.02, 0.01),
    ("miner.pools_alive", 2.0, 0.0),
    ("miner.first_pool", 1.0, 0.0),
    ("miner.ghs", 6800.0, 100.0),
    ("miner.hashrate_ratio", 0.97, 0.02),
    ("miner.rejected_ratio", 0.01, 0.01),
    ("miner.stale_ratio", 0.01, 0.01),
)
_HOST = (
    ("host.cpu_ratio", 0.2, 0.1),
    ("host.memory_ratio", 0.5, 0.05),
    ("host.load_ratio", 0.5, 0.2),
    ("host.oom_kills", 0.0, 0.0),
    ("clock.synchronised", 1.0, 0.0),
    ("clock.offset_s", 0.01, 0.01),
)


def usual() -> dict[Key, tuple[float, float]]:
    """Each reading of a good cycle: its value, and by how much it wavers."""
    found = {(metric, stick): (value, noise) for stick in STICKS for metric, value, noise in _STICK}
    found |= {(metric, ""): (value, noise) for metric, value, noise in (*_MINER, *_HOST)}
    found |= {("hub.present", hub): (1.0, 0.0) for hub in HUBS}
    found |= {("disk.free_ratio", mount): (0.5, 0.01) for mount in ("/", "/var")}
    found |= {("unit.active", f"{name}.service"): (1.0, 0.0) for name in UNITS}
    found |= {("unit.restarts_per_hour", f"{name}.service"): (0.0, 0.0) for name in UNITS}
    return found | {("service.ready", name): (1.0, 0.0) for name in UNITS[:4]}


@dataclass(frozen=True)
class Fault:
    """`at(seconds since its beginning)` is what is read instead, until `length`. `expected`: what must be told, once.

    `flaps`: it comes and goes; up to three alerts are told, one of them as flapping, and its end once.
    """

    name: str
    begin: float
    length: float
    at: Callable[[float], Values]
    expected: tuple[Key, ...] = ()
    flaps: bool = False

    def holds(self, now: float) -> bool:
        return self.begin <= now < self.begin + self.length


@dataclass(frozen=True)
class World:
    """`reboots`: (when, how many seconds nothing is read). `jumps`: (when, by how much the calendar is set)."""

    faults: tuple[Fault, ...]
    glitches: tuple[Fault, ...] = ()
    reboots: tuple[tuple[float, float], ...] = ()
    jumps: tuple[tuple[float, float], ...] = ()
    length: float = WEEK
    seed: int = 1
    _keys: list[Key] = field(default_factory=lambda: list(usual()))

    @property
    def planted(self) -> int:
        return len(self.faults) + len(self.reboots) + len(self.jumps)

    def cycles(self) -> Iterator[tuple[float, Cycle]]:
        """(seconds since the beginning, what is read then)"""
        calm, number = self._calm(), 0
        booted, boot, shift, away = -86_400.0, 0, 0.0, 0.0
        started = booted
        events = sorted([(at, "reboot", by) for at, by in self.reboots] + [(at, "jump", by) for at, by in self.jumps])
        now = 0.0
        while now < self.length:
            while events and events[0][0] <= now:
                at, what, by = events.pop(0)
                if what == "jump":
                    shift += by
                else:
                    booted, boot, away = at + by - 20.0, boot + 1, at + by
                    started = booted + 15.0
            if now >= away:
                moment = Moment(START + timedelta(seconds=now + shift), now - booted, f"boot-{boot}")
                started, readings = self._read(now, started, calm[number % VARIANTS])
                yield now, Cycle(moment, readings, WITHIN)
            now, number = now + EVERY, number + 1

    def _read(self, now: float, started: float, calm: tuple[Reading, ...]) -> tuple[float, tuple[Reading, ...]]:
        """When cgminer started (it may have just now), and the cycle's readings."""
        changed: dict[Key, float | None] = {}
        for fault in (*self.faults, *self.glitches):
            if fault.holds(now):
                changed |= fault.at(now - fault.begin)
        if changed.pop(("restarts", ""), None):
            started = now
        uptime = now - started
        if uptime < RAMP and changed.get(("miner.api", ""), 1.0):
            ramp = {("stick.hashrate_ratio", stick): uptime / RAMP for stick in STICKS}
            changed = {**ramp, ("miner.hashrate_ratio", ""): uptime / RAMP, **changed}
        known = None if changed.get(("miner.api", "")) == 0.0 else uptime
        if not changed:
            return started, (*calm, Reading("miner.uptime_s", "", known))
        readings = [
            Reading(*key, changed[key]) if key in changed else one for key, one in zip(self._keys, calm, strict=True)
        ]
        return started, (*readings, Reading("miner.uptime_s", "", known))

    def _calm(self) -> list[tuple[Reading, ...]]:
        chance = random.Random(self.seed)
        table = usual()
        return [
            tuple(Reading(*key, value + noise * (2 * chance.random() - 1)) for key, (value, noise) in table.items())
            for _ in range(VARIANTS)
        ]


def planted(seed: int = 1) -> World:
    """40 faults, each in some hours of its own, and glitches that nobody should hear of."""
    make = Planter(random.Random(seed))
    faults = [make.unplugged() for _ in range(6)]
    faults += [make.loose() for _ in range(3)]
    faults += [make.silent() for _ in range(3)]
    faults += [make.slow() for _ in range(4)]
    faults += [make.lost_hub() for _ in range(3)]
    faults += [make.lost_pools() for _ in range(3)]
    faults += [make.hung() for _ in range(3)]
    faults += [make.unit_down() for _ in range(3)]
    faults += [make.full_disk() for _ in range(2)]
    faults += [make.storm() for _ in range(2)]
    reboots = tuple((make.when(), 40.0 + 60 * number) for number in range(3))
    jumps = tuple((make.when(), by) for by in (7200.0, -7200.0, 40 * 86_400.0))
    faults.append(make.unplugged(begin=reboots[0][0] - 600, length=3600.0))
    faults.append(make.unplugged(begin=jumps[0][0] - 600, length=3600.0))
    glitches = [glitch for _ in range(2) for glitch in make.glitches()]
    return World(tuple(faults), tuple(glitches), reboots, jumps, seed=seed)


class Planter:
    """Makes faults, each in a slot of its own."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        slots = list(range(SLOTS))
        chance.shuffle(slots)
        self._slots = iter(slots)

    def when(self) -> float:
        return 3600.0 + next(self._slots) * (WEEK - 10_800.0) / SLOTS

    def unplugged(self, begin: float | None = None, length: float | None = None) -> Fault:
        """After it is back its hashrate climbs for five minutes."""
        stick = self._chance.choice(STICKS)
        out = length or self._chance.uniform(60, 3000)

        def at(since: float) -> Values:
            if since < out:
                return _unplugged(stick)
            return {("stick.hashrate_ratio", stick): (since - out) / RAMP}

        return Fault("unplugged", begin or self.when(), out + RAMP, at, (("stick.missing", stick),))

    def loose(self) -> Fault:
        stick = self._chance.choice(STICKS)

        def at(since: float) -> Values:
            return _unplugged(stick) if since % 40 < 20 else {("stick.hashrate_ratio", stick): 0.5}

        return Fault("loose", self.when(), 900.0, at, (("stick.missing", stick),), flaps=True)

    def silent(self) -> Fault:
        stick = self._chance.choice(STICKS)
        values = {("stick.ghs", stick): 0.0, ("stick.hashrate_ratio", stick): 0.0}
        return Fault("silent", self.when(), 1800.0, lambda _: values, (("stick.no_hashes", stick),))

    def slow(self) -> Fault:
        stick, ratio = self._chance.choice(STICKS), self._chance.uniform(0.3, 0.6)
        return Fault(
            *("slow", self.when(), 2400.0, lambda _: {("stick.hashrate_ratio", stick): ratio}),
            expected=(("stick.slow", stick),),
        )

    def lost_hub(self) -> Fault:
        """Its sticks are back 15 s after it, and hash as before five minutes later."""
        hub, out = self._chance.choice(HUBS), self._chance.uniform(300, 2400)
        mine = [stick for stick in STICKS if WITHIN[stick] == hub]

        def at(since: float) -> Values:
            if since >= out + 15:
                ratio = (since - out) / RAMP
                back: Values = {("stick.hashrate_ratio", stick): ratio for stick in mine}
                return {**back, ("miner.hashrate_ratio", ""): 0.5 + ratio / 2}
            gone = {key: value for stick in mine for key, value in _unplugged(stick).items()}
            return {**gone, ("hub.present", hub): float(since >= out), ("miner.hashrate_ratio", ""): 0.5}

        return Fault("hub", self.when(), out + RAMP, at, (("hub.missing", hub),))

    def lost_pools(self) -> Fault:
        """After a minute without any, cgminer ends, and comes back without its API until there is one."""

        def at(since: float) -> Values:
            if since >= 1195:
                return {("restarts", ""): 1.0}
            lost: Values = {("miner.pools_alive", ""): 0.0, ("miner.first_pool", ""): 0.0, ("miner.ghs", ""): 0.0}
            return lost if since < 60 else _unasked({("miner.api", ""): 0.0})

        return Fault("pools", self.when(), 1200.0, at, (("miner.no_pool", ""),))

    def hung(self) -> Fault:
        return Fault(
            *("hung", self.when(), 600.0, lambda _: _unasked({("miner.api", ""): 0.0})),
            expected=(("miner.api_down", ""),),
        )

    def unit_down(self) -> Fault:
        name = self._chance.choice(UNITS[:4])
        values = {("unit.active", f"{name}.service"): 0.0, ("service.ready", name): 0.0}
        return Fault("unit", self.when(), 400.0, lambda _: values, (("unit.down", f"{name}.service"),))

    def full_disk(self) -> Fault:
        return Fault(
            *("disk", self.when(), 3000.0, lambda _: {("disk.free_ratio", "/"): 0.02}),
            expected=(("disk.full", "/"),),
        )

    def storm(self) -> Fault:
        """A weak power supply: all sticks at once."""
        values = {("stick.hw_error_ratio", stick): 0.2 for stick in STICKS}
        return Fault(
            *("storm", self.when(), 2400.0, lambda _: values),
            expected=tuple(("stick.hw_errors", stick) for stick in STICKS),
        )

    def glitches(self) -> list[Fault]:
        """What happens every day and is no news."""
        stick = self._chance.choice(STICKS)
        nothing: tuple[Values, float] = ({("stick.present", stick): None}, 600.0)
        common: list[tuple[Values, float]] = [
            nothing,
            ({("stick.hashrate_ratio", stick): 0.5}, 300.0),
            ({("miner.api", ""): 0.0}, 5.0),
            ({("host.cpu_ratio", ""): 1.0, ("host.load_ratio", ""): 6.0}, 600.0),
        ]
        begin = self.when()
        return [
            Fault("glitch", begin + 900.0 * place, length, lambda _, values=values: values)
            for place, (values, length) in enumerate(common)
        ]


def _unplugged(stick: str) -> dict[Key, float | None]:
    unknown = {(metric, stick): None for metric, _, _ in _STICK}
    return {**unknown, ("stick.present", stick): 0.0}


def _unasked(given: dict[Key, float | None]) -> Values:
    """What cgminer is not there to say."""
    sticks = {(metric, stick): None for metric, _, _ in _STICK[2:] for stick in STICKS}
    return {**sticks, **{(metric, ""): None for metric, _, _ in _MINER}, **given}
