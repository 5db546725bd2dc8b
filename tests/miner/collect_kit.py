"""What tests of collectors share."""

from __future__ import annotations

import asyncio
from typing import Any

from miner.monitor.schedule import Collector
from miner.readings import METRICS, Reading

Found = dict[tuple[str, str], Reading]
WELL: dict[str, Any] = {
    "node": "dag", "docker": "up", "why": "",
    "container": {"name": "node", "state": "running", "restarts": 0, "why": ""},
    "disk": {"bytes": 43_000_000_000, "at_least_bytes": 43_000_000_000, "budget_bytes": 100_000_000_000,
             "free_bytes": 1, "growth_bytes_per_day": 3_000_000_000, "why": ""},
    "rpc": {"state": "up", "why": "", "height": 1000, "peers": 8, "lag": 2, "syncing": False, "version": "1"},
    "initial_download": False,
}  # fmt: skip
"""What root's probe of a node writes, without its time."""


def found_by(collector: Collector) -> Found:
    """One look; every reading has a name that rules know."""
    readings = asyncio.run(collector.collect())
    assert {one.metric for one in readings} <= set(METRICS)
    return {(one.metric, one.target): one for one in readings}


def value(found: Found, metric: str, target: str = "") -> float | None:
    return found[metric, target].value
