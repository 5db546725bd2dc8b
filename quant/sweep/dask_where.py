"""A cluster as a place to work: jobs go to Dask workers, which read the candles by themselves; rows come back.

Several jobs go together, so that one trip is half a second of work whatever a combination takes there. Nothing is
random and nothing is summed across jobs, so the rows are those of one core, bit for bit.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from quant import dataset
from quant.cluster.client import DEPLOY, connected, refuse_others
from quant.compiled import code_version
from quant.config import Config, resolved
from quant.dataset.files import absolute
from quant.engine.simulating import Rates
from quant.errors import BadData, ClusterFailed, NoData
from quant.sweep.where import Done, Job, Where
from quant.sweep.work import Study, evaluate
from runtime import clock

AHEAD = 2
"""Trips handed out for each worker: one under way, one waiting."""
TRIP = 0.5
"""Seconds of work in one: far more than sending it takes, and little to do again when a worker is killed."""
MOST = 256
"""Jobs in one trip."""
LOOK = 2.0
"""Seconds without news after which we look whether anybody is still there."""
PATIENCE = 60.0
"""Seconds that a cluster may be without any worker: a host that restarts is back by then."""


@dataclass(frozen=True)
class Remote:
    """A study as it is sent: where its candles are and what they must be, not the candles."""

    config: Config
    candles: str
    """sha256 in hex."""
    funding: str | None
    code: str

    @classmethod
    def of(cls, study: Study) -> Remote:
        data = study.config.data.model_copy(update={"url": absolute(study.config.data.url)})
        config = study.config.model_copy(update={"data": data})
        return cls(config, study.candles.sha256, _funding_hash(study.funding), code_version())

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{resolved(self.config)}{self.candles}{self.funding}".encode()).hexdigest()


@dataclass(frozen=True)
class Trip:
    """What came back: each job's rows, and the seconds that working them out took."""

    done: tuple[Done, ...]
    seconds: float


@contextmanager
def cluster(study: Study, scheduler: str) -> Iterator[Where]:
    """The workers of `scheduler` (tcp://ADDRESS:PORT). Left early, by Ctrl-C too, what they still have is cancelled.

    Raises UsageError, or ClusterFailed within seconds: nobody there, no workers, or of another version.
    """
    with connected(scheduler) as client:
        refuse_others(client, scheduler)
        yield _Cluster(client, scheduler, Remote.of(study))


class _Cluster:
    def __init__(self, client: Any, scheduler: str, remote: Remote) -> None:
        self._client, self._scheduler, self._remote = client, scheduler, remote
        self.workers = self._count()

    def map(self, jobs: Iterable[Job]) -> Iterator[Done]:
        trips, under_way = _Trips(jobs), set[Any]()
        try:
            while True:
                wanted = AHEAD * self.workers - len(under_way)
                under_way |= {self._sent(some) for some in trips.next(wanted, self.workers)}
                if not under_way:
                    return
                finished, under_way = self._finished(under_way)
                for one in finished:
                    yield from trips.back(self._result(one)).done
        finally:
            self._cancel(under_way)

    def _sent(self, jobs: tuple[Job, ...]) -> Any:
        return self._client.submit(work, self._remote, jobs, pure=False)

    def _finished(self, under_way: set[Any]) -> tuple[set[Any], set[Any]]:
        """Those that ended, one at least, and the others. Raises ClusterFailed when nobody is left to end one."""
        from distributed.client import FIRST_COMPLETED, _wait

        alone_since = None
        while True:
            try:
                found = self._client.sync(_wait, under_way, timeout=LOOK, return_when=FIRST_COMPLETED)
                return set(found.done), set(found.not_done)
            except TimeoutError:
                self.workers = self._count()
            except Exception as error:  # the futures are cancelled when the scheduler that knew them is gone
                raise self._lost() from error
            alone_since = None if self.workers else alone_since or clock.steady()
            if alone_since and clock.steady() - alone_since > PATIENCE:
                raise ClusterFailed(f"{self._scheduler} has had no worker for {PATIENCE:.0f} s", hint=_GO_ON)

    def _count(self) -> int:
        """Workers there are now. Raises ClusterFailed."""
        try:
            return len(self._client.scheduler_info(n_workers=-1)["workers"])
        except Exception as error:  # each layer of the connection has its own
            raise self._lost() from error

    def _result(self, future: Any) -> Trip:
        from distributed import KilledWorker

        try:
            trip: Trip = future.result()
        except KilledWorker as error:
            raise ClusterFailed(
                f"the same jobs ended several workers, the last at {error.last_worker.address}",
                hint="out of memory? ./inv logs --host HOST --unit compute-worker.service; " + _GO_ON,
            ) from None
        return trip

    def _lost(self) -> ClusterFailed:
        return ClusterFailed(f"the scheduler at {self._scheduler} was lost", hint=_GO_ON)

    def _cancel(self, under_way: set[Any]) -> None:
        """What nobody will ask for any more: the next sweep must not wait for it."""
        if under_way and self._client.status == "running":
            self._client.cancel(list(under_way), force=True)


_GO_ON = "the same command goes on where this one stopped"


class _Trips:
    """Jobs in the order given, as many together as take half a second, and never so many that a worker has none."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs, self._waiting = iter(jobs), deque[Job]()
        self._each = TRIP
        """Seconds that a job takes."""

    def next(self, count: int, workers: int) -> Iterator[tuple[Job, ...]]:
        """At most `count` trips."""
        for _ in range(count):
            size = max(1, min(MOST, int(TRIP / self._each)))
            self._waiting.extend(islice(self._jobs, max(0, size * max(1, workers) - len(self._waiting))))
            if not self._waiting:
                return
            share = min(size, math.ceil(len(self._waiting) / max(1, workers)))
            yield tuple(self._waiting.popleft() for _ in range(share))

    def back(self, trip: Trip) -> Trip:
        """Learns how long a job takes. The first on each worker compiles: a slow one counts little, a fast one all."""
        each = max(1e-6, trip.seconds / len(trip.done))
        self._each = min(each, self._each * 1.1)
        return trip


_studies: dict[str, Study] = {}
"""The last one that this worker was asked about: another takes its place, so that memory holds one."""


def work(remote: Remote, jobs: tuple[Job, ...]) -> Trip:
    """On a worker. Raises ClusterFailed when it runs other code than who asks, NoData and BadData when it does not find
    the same candles, and what `evaluate` raises."""
    if remote.code != code_version():
        raise ClusterFailed(
            f"a worker runs other code ({code_version()}) than this program ({remote.code})", hint=DEPLOY
        )
    study = _study(remote)
    begun = clock.steady()
    done = tuple((job.number, evaluate(study.config, study.candles, study.funding, job.overrides)) for job in jobs)
    return Trip(done, clock.steady() - begun)


def _study(remote: Remote) -> Study:
    if remote.key not in _studies:
        _studies.clear()
        _studies[remote.key] = _loaded(remote)
    return _studies[remote.key]


def _loaded(remote: Remote) -> Study:
    url = remote.config.data.url
    try:
        candles, funding = dataset.load_for(remote.config)
    except NoData as error:
        raise NoData(f"a worker of the cluster found no candles: {error.message}", hint=_READABLE) from None
    if (candles.sha256, _funding_hash(funding)) != (remote.candles, remote.funding):
        raise BadData(
            f"a worker of the cluster reads other candles or funding at {url} than this machine", hint=_READABLE
        )
    return Study(remote.config, candles, funding)


_READABLE = "data.url must be the same for all: s3://BUCKET/FOLDER, or a folder with the same files on every host"


def _funding_hash(funding: Rates | None) -> str | None:
    if funding is None:
        return None
    return hashlib.sha256(funding.time.tobytes() + funding.rate.tobytes()).hexdigest()
