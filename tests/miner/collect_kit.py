"""What tests of collectors share."""

from __future__ import annotations

import asyncio

from miner.monitor.schedule import Collector
from miner.readings import METRICS, Reading

Found = dict[tuple[str, str], Reading]


def found_by(collector: Collector) -> Found:
    """One look; every reading has a name that rules know."""
    readings = asyncio.run(collector.collect())
    assert {one.metric for one in readings} <= set(METRICS)
    return {(one.metric, one.target): one for one in readings}


def value(found: Found, metric: str, target: str = "") -> float | None:
    return found[metric, target].value
