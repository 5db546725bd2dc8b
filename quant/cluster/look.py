"""What a cluster does at the moment: its workers, whether they run our code, what waits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from quant.cluster import client as way
from quant.compiled import code_version


@dataclass(frozen=True)
class Worker:
    """One process. `code` is its version, or what it said instead; `memory` in bytes; `running`: trips under way."""

    address: str
    code: str
    same: bool
    running: int
    memory: int
    memory_limit: int


@dataclass(frozen=True)
class Cluster:
    """`waiting`: trips that no worker has begun."""

    scheduler: str
    code: str
    workers: tuple[Worker, ...]
    waiting: int

    @property
    def hosts(self) -> set[str]:
        return {one.address.rpartition(":")[0] for one in self.workers}

    @property
    def is_well(self) -> bool:
        """There are workers, and all run our code."""
        return bool(self.workers) and all(one.same for one in self.workers)

    def json(self) -> dict[str, Any]:
        return asdict(self) | {"well": self.is_well}


def look(client: Any, scheduler: str) -> Cluster:
    """Raises ClusterFailed when a worker that was there is gone before it answered."""
    versions = way.versions(client)
    known = client.scheduler_info(n_workers=-1)["workers"]
    workers = tuple(_worker(place, said, known[place]) for place, said in versions.items() if place in known)
    states = [one["metrics"]["task_counts"] for one in known.values()]
    ready = sum(int(count) for counts in states for state, count in counts.items() if state in WAITING)
    return Cluster(scheduler, code_version(), workers, ready + _unassigned(client))


WAITING = ("ready", "waiting", "fetch", "constrained")
"""States in which a worker has a task that it has not begun."""


def _worker(place: str, code: str, known: dict[str, Any]) -> Worker:
    metrics = known["metrics"]
    running = int(metrics["task_counts"].get("executing", 0))
    return Worker(place, code, code == code_version(), running, int(metrics["memory"]), int(known["memory_limit"]))


def _unassigned(client: Any) -> int:
    """Tasks that the scheduler keeps until a worker is free. 0 where it is too old to be asked so."""
    try:
        return int(client.run_on_scheduler(unassigned))
    except Exception:  # its code may be any: what it raises is its own
        return 0


def unassigned(dask_scheduler: Any) -> int:
    """On the scheduler."""
    return len(dask_scheduler.queued) + len(dask_scheduler.unrunnable)
