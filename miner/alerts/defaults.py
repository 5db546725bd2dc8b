"""The rules a monitor has when nobody wrote any: a table of data, which docs/alerts.md shows too.

Thresholds are those that owners of such machines ask for; each can be changed or switched off in the inventory.
"""

from __future__ import annotations

from typing import Any

from miner.alerts.rule import Compare, Rule, Severity

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0

_SILENT = ("miner.api_down", "miner.no_pool", "unit.down@cgminer.service")
_UNPLUGGED = ("hub.missing", "stick.missing")
_RUN_IN = (("stick.present", 10 * MINUTE), ("miner.uptime_s", 10 * MINUTE))


def _rule(
    name: str,
    condition: tuple[str, Compare, float],
    severity: Severity = "warning",
    *,
    clear: float | None = None,
    by: tuple[str, ...] = (),
    **more: Any,
) -> Rule:
    metric, compare, threshold = condition
    quiet = severity != "critical"
    beyond = threshold if clear is None else clear
    return Rule(name, metric, compare, threshold, beyond, severity=severity, quiet=quiet, inhibited_by=by, **more)


Condition = tuple[str, Compare, float]


def _filling(name: str, condition: Condition, *, clear: float, by: tuple[str, ...] = ()) -> Rule:
    """Room that runs out: there is time to do something."""
    return _rule(name, condition, clear=clear, for_s=2 * MINUTE, clear_for_s=5 * MINUTE, repeat_s=DAY, by=by)


def _full(name: str, condition: Condition, *, clear: float) -> Rule:
    """Room that has run out: what writes there fails."""
    return _rule(name, condition, "critical", clear=clear, for_s=30.0, clear_for_s=5 * MINUTE, repeat_s=6 * HOUR)


_STICKS = (
    _rule("stick.missing", ("stick.present", "<", 1), clear_for_s=2, repeat_s=DAY, by=("hub.missing",)),
    _rule("stick.unusable", ("stick.usable", "<", 1), for_s=20, repeat_s=DAY, by=_UNPLUGGED),
    _rule(
        "stick.no_hashes",
        ("stick.ghs", "<=", 0),
        for_s=3 * MINUTE,
        clear_for_s=MINUTE,
        repeat_s=12 * HOUR,
        after=_RUN_IN,
        by=(*_UNPLUGGED, "stick.unusable", *_SILENT, "miner.no_hashrate"),
    ),
    _rule(
        "stick.slow",
        ("stick.hashrate_ratio", "<", 0.7),
        clear=0.8,
        for_s=10 * MINUTE,
        clear_for_s=5 * MINUTE,
        repeat_s=DAY,
        after=_RUN_IN,
        by=(*_UNPLUGGED, "stick.unusable", "stick.no_hashes", "stick.frequency_low", *_SILENT, "miner.no_hashrate"),
    ),
    _rule(
        "stick.frequency_low",
        ("stick.frequency_ratio", "<", 0.9),
        clear=0.95,
        for_s=5 * MINUTE,
        clear_for_s=2 * MINUTE,
        repeat_s=DAY,
        after=_RUN_IN,
        by=(*_UNPLUGGED, *_SILENT),
    ),
    _rule(
        "stick.resets",
        ("stick.resets_per_hour", ">", 6),
        clear=3.0,
        for_s=0.0,
        clear_for_s=10 * MINUTE,
        repeat_s=DAY,
        by=_UNPLUGGED,
    ),
    _rule(
        "stick.hw_errors",
        ("stick.hw_error_ratio", ">", 0.05),
        clear=0.03,
        for_s=15 * MINUTE,
        clear_for_s=10 * MINUTE,
        repeat_s=DAY,
        after=_RUN_IN,
        by=_UNPLUGGED,
    ),
    _rule("stick.hot", ("stick.temperature_c", ">", 80), clear=75, for_s=MINUTE, clear_for_s=5 * MINUTE, repeat_s=DAY),
    _rule("hub.missing", ("hub.present", "<", 1), "critical", clear_for_s=2, repeat_s=12 * HOUR, by=("hub.missing",)),
)

_MINER = (
    # Two looks 5 s apart: one answer that came late is no news, and a hung API is told within 15 s.
    _rule(
        "miner.api_down",
        ("miner.api", "<", 1),
        "critical",
        for_s=3.0,
        clear_for_s=10.0,
        repeat_s=6 * HOUR,
        grace_s=3 * MINUTE,
        by=("miner.no_pool", "unit.down@cgminer.service"),
    ),
    _rule("miner.api_slow", ("miner.api_s", ">", 2), "info", clear=1, for_s=5 * MINUTE, clear_for_s=5 * MINUTE),
    _rule(
        "miner.no_pool",
        ("miner.pools_alive", "<", 1),
        "critical",
        for_s=30.0,
        clear_for_s=30.0,
        repeat_s=6 * HOUR,
        grace_s=2 * MINUTE,
    ),
    _rule(
        "miner.fallback_pool",
        ("miner.first_pool", "<", 1),
        for_s=5 * MINUTE,
        clear_for_s=5 * MINUTE,
        repeat_s=DAY,
        after=(("miner.uptime_s", 2 * MINUTE),),
        by=_SILENT,
    ),
    _rule(
        "miner.no_hashrate",
        ("miner.ghs", "<=", 0),
        "critical",
        for_s=3 * MINUTE,
        clear_for_s=MINUTE,
        repeat_s=6 * HOUR,
        after=_RUN_IN,  # while no stick is there, that is the news
        by=_SILENT,
    ),
    _rule(
        "miner.slow",
        ("miner.hashrate_ratio", "<", 0.8),
        clear=0.9,
        for_s=15 * MINUTE,
        clear_for_s=5 * MINUTE,
        repeat_s=DAY,
        after=_RUN_IN[1:],
        by=(*_SILENT, "miner.no_hashrate", "hub.missing@*", "stick.*@*"),
    ),
    _rule(
        "miner.rejects",
        ("miner.rejected_ratio", ">", 0.05),
        clear=0.03,
        for_s=15 * MINUTE,
        clear_for_s=15 * MINUTE,
        repeat_s=DAY,
    ),
    _rule(
        "miner.stales",
        ("miner.stale_ratio", ">", 0.05),
        clear=0.03,
        for_s=15 * MINUTE,
        clear_for_s=15 * MINUTE,
        repeat_s=DAY,
    ),
)

_HOST = (
    _rule("host.busy", ("host.cpu_ratio", ">", 0.95), clear=0.85, for_s=30 * MINUTE, clear_for_s=5 * MINUTE),
    _rule("host.memory_low", ("host.memory_ratio", ">", 0.92), clear=0.87, for_s=5 * MINUTE, clear_for_s=5 * MINUTE),
    _rule("host.load", ("host.load_ratio", ">", 4), clear=2, for_s=15 * MINUTE, clear_for_s=10 * MINUTE),
    _rule(
        "host.hot",
        ("host.temperature_c", ">", 80),
        clear=75.0,
        for_s=2 * MINUTE,
        clear_for_s=5 * MINUTE,
        repeat_s=DAY,
        by=("host.too_hot",),
    ),
    _rule("host.too_hot", ("host.temperature_c", ">", 92), "critical", clear=85, for_s=30, clear_for_s=5 * MINUTE),
    _rule("host.out_of_memory", ("host.oom_kills", ">", 0), clear_for_s=10 * MINUTE),
    _rule("host.undervoltage", ("host.undervoltage", "<", 1), for_s=10, clear_for_s=5 * MINUTE, repeat_s=DAY),
    _filling("disk.low", ("disk.free_ratio", "<", 0.10), clear=0.12, by=("disk.full",)),
    _full("disk.full", ("disk.free_ratio", "<", 0.03), clear=0.05),
    _filling("disk.inodes_low", ("disk.inodes_free_ratio", "<", 0.05), clear=0.08),
    _rule(
        "clock.unsynchronised",
        ("clock.synchronised", "<", 1),
        for_s=15 * MINUTE,
        clear_for_s=5 * MINUTE,
        grace_s=15 * MINUTE,
        repeat_s=DAY,
    ),
    _rule("clock.off", ("clock.offset_s", ">", 1), clear=0.5, for_s=2 * MINUTE, clear_for_s=2 * MINUTE, repeat_s=DAY),
)

_SERVICES = (
    _rule(
        "unit.down",
        ("unit.active", "<", 1),
        "critical",
        for_s=15.0,
        clear_for_s=10.0,
        grace_s=2 * MINUTE,
        repeat_s=6 * HOUR,
    ),
    _rule("unit.restarts", ("unit.restarts_per_hour", ">", 5), clear=2, clear_for_s=15 * MINUTE, repeat_s=DAY),
    _rule(
        "service.not_ready",
        ("service.ready", "<", 1),
        "critical",
        for_s=20.0,
        clear_for_s=10.0,
        grace_s=2 * MINUTE,
        repeat_s=6 * HOUR,
        by=("unit.down",),
    ),
    _rule(
        "service.slow",
        ("service.ready_s", ">", 2),
        clear=1.0,
        for_s=5 * MINUTE,
        clear_for_s=5 * MINUTE,
        by=("service.not_ready", "unit.down"),
    ),
    _rule(
        "outbox.late",
        ("outbox.lag_s", ">", 300),
        clear=60.0,
        for_s=MINUTE,
        clear_for_s=MINUTE,
        grace_s=5 * MINUTE,
        repeat_s=DAY,
    ),
    _rule("outbox.refused", ("outbox.dead", ">", 0), repeat_s=7 * DAY),
    _rule(
        "tunnel.down",
        ("tunnel.reaches_us", "<", 1),
        "critical",
        for_s=90.0,
        clear_for_s=30.0,
        grace_s=3 * MINUTE,
        repeat_s=6 * HOUR,
        by=("unit.down@tv-webhook.service", "unit.down@ngrok-tv.service", "service.not_ready@*webhook*"),
    ),
    _rule(
        "tunnel.inspector_hangs",
        ("tunnel.inspector", "<", 1),
        "info",
        for_s=5 * MINUTE,
        clear_for_s=30.0,
        grace_s=3 * MINUTE,
        repeat_s=DAY,
        by=("tunnel.down", "unit.down@ngrok-tv.service"),
    ),
    _rule("expiry.soon", ("expiry.days", "<", 14), clear=15, repeat_s=3 * DAY, by=("expiry.now",)),
    _rule("expiry.now", ("expiry.days", "<", 3), "critical", clear=15, repeat_s=DAY),
    _rule("journal.unpushed", ("journal.push_age_s", ">", 6 * HOUR), clear=HOUR, repeat_s=DAY),
    _rule("backup.old", ("backup.age_s", ">", 36 * HOUR), clear=25 * HOUR, repeat_s=DAY),
    _rule("drift.found", ("drift.count", ">", 0), "info", for_s=10 * MINUTE, repeat_s=7 * DAY),
    _rule("peer.silent", ("peer.seen_s", ">", 180), "critical", clear=60, clear_for_s=30, repeat_s=6 * HOUR),
)

_NO_DOCKER = ("unit.down@docker.service", "docker.down")
_NO_CONTAINER = (*_NO_DOCKER, "unit.down@blockdag.service", "node.restarting", "node.stopped")

_NODES = (
    _rule(
        "docker.down",
        ("docker.answers", "<", 1),
        "critical",
        for_s=30.0,
        clear_for_s=10.0,
        grace_s=2 * MINUTE,
        repeat_s=6 * HOUR,
        by=_NO_DOCKER[:1],
    ),
    _rule(
        "node.stopped",
        ("node.container", "<", 1),
        "critical",
        for_s=30.0,
        clear_for_s=30.0,
        grace_s=3 * MINUTE,
        repeat_s=6 * HOUR,
        by=(*_NO_DOCKER, "unit.down@blockdag.service", "node.restarting"),
    ),
    # Docker waits up to a minute from one start to the next: a loop has ten in its first minute, and sixty an hour.
    _rule(
        "node.restarting",
        ("node.restarts_per_hour", ">", 5),
        "critical",
        clear=2,
        clear_for_s=15 * MINUTE,
        repeat_s=6 * HOUR,
        by=_NO_DOCKER,
    ),
    _rule(
        "node.down",
        ("node.running", "<", 1),
        "critical",
        for_s=MINUTE,
        clear_for_s=MINUTE,
        grace_s=5 * MINUTE,
        repeat_s=6 * HOUR,
        by=_NO_CONTAINER,
    ),
    _rule(
        "node.alone",
        ("node.peers", "<", 1),
        for_s=10 * MINUTE,
        clear_for_s=5 * MINUTE,
        after=(("node.running", 10 * MINUTE),),
        repeat_s=DAY,
        by=("node.down",),
    ),
    _rule(
        "node.stuck",
        ("node.standstill_s", ">", 15 * MINUTE),
        clear=MINUTE,
        after=(("node.running", 10 * MINUTE),),
        repeat_s=DAY,
        by=("node.down", "node.alone"),
    ),
    _rule(
        "node.syncing", ("node.syncing", ">=", 1), "info", for_s=10 * MINUTE, clear_for_s=5 * MINUTE, by=("node.down",)
    ),
    _rule(
        "node.behind",
        ("node.lag", ">", 100),
        clear=20.0,
        for_s=15 * MINUTE,
        clear_for_s=5 * MINUTE,
        repeat_s=DAY,
        by=("node.down", "node.alone", "node.stuck", "node.syncing"),
    ),
    _rule(
        "node.disk_soon",
        ("node.disk_days", "<", 7),
        clear=10,
        for_s=HOUR,
        clear_for_s=HOUR,
        repeat_s=3 * DAY,
        by=("node.disk_low", "node.disk_full", "node.syncing"),
    ),
    _filling("node.disk_low", ("node.disk_ratio", ">", 0.9), clear=0.85, by=("node.disk_full",)),
    _full("node.disk_full", ("node.disk_ratio", ">=", 1), clear=0.97),
    _rule(
        "node.unseen",
        ("node.probe_age", ">", 120),
        clear=60.0,
        clear_for_s=30.0,
        grace_s=3 * MINUTE,
        repeat_s=DAY,
        by=("unit.down@blockdag-probe.timer",),
    ),
)

DEFAULT_RULES: tuple[Rule, ...] = (*_STICKS, *_MINER, *_HOST, *_SERVICES, *_NODES)
