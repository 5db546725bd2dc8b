"""What the monitor measures: the words that collectors, rules, the page and `/metrics` share. Pure data.

A metric's name says what is measured and in which unit; its target says on what: a stick's key, a unit, a mount point,
a sink; "" is the host itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """One value. `value` None: it cannot be known now, which is neither good nor bad. `note`: what people are told."""

    metric: str
    target: str
    value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something was measured: UTC, seconds since boot (they never jump), and which boot."""

    at: datetime
    steady: float
    boot: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """What was measured at one moment. A reading that is absent says nothing about its metric.

    `within`: which target is part of which other one: a stick's key -> its hub's port path, a hub's -> the hub it hangs
    on, a service -> its unit. What is wrong with the whole silences the part; empty says nothing new.
    """

    moment: Moment
    readings: tuple[Reading, ...]
    within: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metric:
    """`unit`: `bool` (1 is good), `flag` (1: it is so, for good or bad), `ratio` (1 is all), `seconds`, `days`,
    `celsius`, `GH/s`, `count`, `per hour`.
    """

    unit: str
    target: str
    help: str


METRICS: dict[str, Metric] = {
    "stick.present": Metric("bool", "stick", "the stick is on the bus"),
    "stick.usable": Metric("bool", "stick", "its device node may be opened by the miner"),
    "stick.ghs": Metric("GH/s", "stick", "hashrate, over five minutes"),
    "stick.hashrate_ratio": Metric("ratio", "stick", "hashrate of what its frequency promises"),
    "stick.frequency_ratio": Metric("ratio", "stick", "frequency it runs at of the one that was asked for"),
    "stick.resets_per_hour": Metric("per hour", "stick", "how often cgminer resets it"),
    "stick.hw_error_ratio": Metric("ratio", "stick", "hardware errors of all nonces, since the last reading"),
    "stick.temperature_c": Metric("celsius", "stick", "temperature, of those that have a sensor"),
    "hub.present": Metric("bool", "USB port path", "the hub that known sticks hang on"),
    "miner.api": Metric("bool", "", "cgminer's API answers in time"),
    "miner.api_s": Metric("seconds", "", "how long it takes to answer"),
    "miner.pools_alive": Metric("count", "", "pools that are alive"),
    "miner.first_pool": Metric("bool", "", "it works for the first pool, not for a fallback"),
    "miner.ghs": Metric("GH/s", "", "hashrate of all sticks"),
    "miner.hashrate_ratio": Metric("ratio", "", "hashrate of what all sticks together promise"),
    "miner.rejected_ratio": Metric("ratio", "", "rejected shares of all, since the last reading"),
    "miner.stale_ratio": Metric("ratio", "", "stale shares of all, since the last reading"),
    "host.cpu_ratio": Metric("ratio", "", "processor time in use"),
    "host.memory_ratio": Metric("ratio", "", "memory in use, without what can be given back"),
    "host.load_ratio": Metric("ratio", "", "load over five minutes, for each processor"),
    "host.temperature_c": Metric("celsius", "sensor", "temperature"),
    "host.oom_kills": Metric("count", "", "processes killed for want of memory, since the last reading"),
    "host.undervoltage": Metric("bool", "", "the power supply holds its voltage (Raspberry Pi and others that tell)"),
    "disk.free_ratio": Metric("ratio", "mount point", "space that is free"),
    "disk.inodes_free_ratio": Metric("ratio", "mount point", "inodes that are free"),
    "clock.synchronised": Metric("bool", "", "the kernel's clock follows NTP"),
    "clock.offset_s": Metric("seconds", "", "how far the clock is off, as NTP estimates"),
    "unit.active": Metric("bool", "unit", "it runs"),
    "unit.restarts_per_hour": Metric("per hour", "unit", "how often systemd starts it anew"),
    "service.ready": Metric("bool", "service", "its /ready answers 200"),
    "service.ready_s": Metric("seconds", "service", "how long that takes"),
    "outbox.lag_s": Metric("seconds", "sink", "age of the oldest thing it was not delivered"),
    "outbox.dead": Metric("count", "sink", "what it refused for good"),
    "tunnel.reaches_us": Metric("bool", "", "a signed probe through the public URL comes back"),
    "tunnel.inspector": Metric("bool", "", "ngrok's inspector on this machine answers"),
    "expiry.days": Metric("days", "certificate or key", "until it expires"),
    "journal.push_age_s": Metric("seconds", "", "since the log book was last at its remote, while something waits"),
    "backup.age_s": Metric("seconds", "backup", "age of the newest one"),
    "drift.count": Metric("count", "", "managed files that somebody changed by hand"),
    "node.running": Metric("bool", "node", "the BlockDAG node answers at its RPC"),
    "node.peers": Metric("count", "node", "peers that it is connected with"),
    "node.lag": Metric("count", "node", "blocks it is behind the highest of its peers"),
    "node.height": Metric("count", "node", "blocks of its main chain"),
    "node.standstill_s": Metric("seconds", "node", "since its chain grew"),
    "node.syncing": Metric("flag", "node", "it still fetches the chain"),
    "node.container": Metric("bool", "node", "its container runs"),
    "node.restarts": Metric("count", "node", "how often Docker started its container anew since it was made"),
    "node.restarts_per_hour": Metric("per hour", "node", "the same, within the last hour"),
    "node.disk_ratio": Metric("ratio", "node", "what its data takes of its budget"),
    "node.disk_days": Metric("days", "node", "until its budget is used up, if it grows on as in the last day"),
    "node.probe_age": Metric("seconds", "node", "since the probe of this host's node told anything"),
    "docker.answers": Metric("bool", "", "Docker answers at its socket"),
    "peer.seen_s": Metric("seconds", "host", "since another host's monitor answered"),
    "miner.uptime_s": Metric("seconds", "", "since cgminer started: its hashrates mean little in its first minutes"),
}
