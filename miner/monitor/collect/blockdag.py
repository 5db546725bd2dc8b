"""This host's BlockDAG node, as root's probe of it left it (`blockdag/probe.py`): the monitor may not ask Docker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from miner.monitor.collect.rates import PerHour, Standstill
from miner.monitor.schedule import Blocking
from miner.readings import Reading
from runtime import clock

Json = dict[str, Any]
OLD_SECONDS = 90.0
"""Of a probe that is made every 15 s: what is older says nothing of the node."""
NEARLY = 0.9
"""What could not be counted to its end is told from here on."""
LONGEST_DAYS = 3650.0
GB = 1e9
NODE = ("node.container", "node.restarts", "node.restarts_per_hour", "node.running", "node.peers", "node.lag")
MORE = ("node.height", "node.standstill_s", "node.syncing", "node.disk_ratio", "node.disk_days")


class BlockDag(Blocking):
    """The node's name is what the probe calls it; until there was a probe, it is `blockdag`."""

    name, every, timeout = "blockdag", 5.0, 10.0

    def __init__(self, file: Path, node: str = "blockdag") -> None:
        super().__init__()
        self._file, self._node, self._begun = file, node, clock.steady()
        self._restarts, self._standstill = PerHour(), Standstill()

    def measure(self) -> list[Reading]:
        """Raises ValueError on what is no finding of the probe's."""
        try:
            found = json.loads(self._file.read_text())
        except FileNotFoundError:
            return self._never()
        self._node = str(found["node"])
        age = max(0.0, (clock.now() - clock.from_iso(found["at"])).total_seconds())
        told = [Reading("node.probe_age", self._node, age, str(self._file))]
        if age > OLD_SECONDS:
            return [*told, *self._unknown(f"nobody has looked lately: {self._file} is old")]
        return [*told, *self._readings(found)]

    def _never(self) -> list[Reading]:
        """Since the monitor looks: that is the least it can be."""
        why = f"there is no {self._file}"
        waited = clock.steady() - self._begun
        return [Reading("node.probe_age", self._node, waited, why), *self._unknown(why)]

    def _unknown(self, why: str) -> list[Reading]:
        return [Reading("docker.answers", "", None, why), *self._all(why)]

    def _all(self, why: str) -> list[Reading]:
        return [Reading(metric, self._node, None, why) for metric in (*NODE, *MORE)]

    def _readings(self, found: Json) -> Iterator[Reading]:
        is_up = found["docker"] == "up"
        yield Reading("docker.answers", "", float(is_up), "" if is_up else str(found["why"]))
        yield from self._container(found.get("container"), str(found["why"]))
        yield from self._rpc(found["rpc"], found.get("initial_download"))
        yield from self._disk(found["disk"])

    def _container(self, container: Json | None, why: str) -> Iterator[Reading]:
        if container is None:
            yield from (Reading(metric, self._node, None, why) for metric in NODE[:3])
            return
        note = str(container.get("why", ""))
        yield Reading("node.container", self._node, float(container["state"] == "running"), note)
        restarts = container.get("restarts")
        yield Reading("node.restarts", self._node, restarts)
        rate = None if restarts is None else self._restarts.of(self._node, restarts)
        yield Reading("node.restarts_per_hour", self._node, rate, note)

    def _rpc(self, rpc: Json, downloads: bool | None) -> Iterator[Reading]:
        """A node that refuses runs all the same."""
        node, why, height = self._node, str(rpc["why"]), rpc.get("height")
        yield Reading("node.running", node, float(rpc["state"] in ("up", "refused")), why)
        yield Reading("node.peers", node, rpc.get("peers"), why)
        no_peer = "no peer says how far it is" if rpc["state"] == "up" and rpc.get("lag") is None else ""
        yield Reading("node.lag", node, rpc.get("lag"), why or no_peer or f"block {height}")
        yield Reading("node.height", node, height, why)
        grown = None if height is None else self._standstill.of(node, height)
        yield Reading("node.standstill_s", node, grown, why if height is None else f"block {height}")
        yield _syncing(node, rpc.get("syncing"), downloads, height)

    def _disk(self, disk: Json) -> Iterator[Reading]:
        taken, budget = disk.get("bytes"), disk["budget_bytes"]
        least, growth, why = disk.get("at_least_bytes"), disk.get("growth_bytes_per_day"), str(disk["why"])
        if taken is None and least is not None and least >= NEARLY * budget:
            taken = least
        if taken is None:
            yield from (Reading(metric, self._node, None, why) for metric in MORE[3:])
            return
        note = f"{taken / GB:.3g} GB of {budget / GB:.3g} GB"
        yield Reading("node.disk_ratio", self._node, taken / budget, note)
        more = "" if growth is None else f"{note}, {growth / GB:.3g} GB more each day"
        yield Reading("node.disk_days", self._node, _days(budget - taken, growth), more)


def _days(left: int, growth: float | None) -> float | None:
    if growth is None:
        return None
    return min(LONGEST_DAYS, max(0, left) / growth) if growth > 0 else LONGEST_DAYS


def _syncing(node: str, says: bool | None, downloads: bool | None, height: int | None) -> Reading:
    """What it says itself, or what it logs when a miner asks it for work."""
    if says is None and downloads is None:
        return Reading("node.syncing", node, None)
    return Reading("node.syncing", node, float(bool(says or downloads)), f"block {height}" if height else "")
