"""A sweep's jobs on a cluster: the rows of one core, whatever happens to a worker, or clear words why not."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.paths import ROOT
from quant.cluster.client import connected, versions
from quant.cluster.look import look
from quant.compiled import code_version
from quant.errors import BadData, ClusterFailed, NoData, UsageError
from quant.sweep import dask_where
from quant.sweep.dask_where import Remote, Trip, _Trips
from quant.sweep.where import Job
from quant.sweep.work import Study
from tests.quant.cluster.kit import Cluster, changed_copy, cluster, here, jobs, study


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return study(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers. Whoever kills one leaves its keeper to start another."""
    with cluster(tmp_path_factory.mktemp("cluster")) as found:
        until(lambda: workers(found) == 2, 60)
        yield found


def workers(found: Cluster) -> int:
    try:
        with connected(found.url) as client:
            return len(versions(client))
    except ClusterFailed:
        return 0


def until(condition: Callable[[], bool], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.05)


def test_rows_are_those_of_one_core(running: Cluster, asked: Study) -> None:
    wanted = jobs(30)
    expected = here(asked, wanted)  # first: it compiles what workers then find compiled
    with dask_where.cluster(asked, running.url) as place:
        assert place.workers == 2
        found = dict(place.map(wanted))
    assert sorted(found) == list(range(30))
    assert [repr(found[number]) for number in range(30)] == expected


def test_a_worker_killed_mid_way_loses_nothing(running: Cluster, asked: Study) -> None:
    wanted, killed, found = jobs(150), list[int](), {}
    with dask_where.cluster(asked, running.url) as place:
        for number, rows in place.map(wanted):
            assert number not in found
            found[number] = rows
            if len(found) == 20:
                killed = [process.pid for process in running.processes()][:1]
                os.kill(killed[0], signal.SIGKILL)
    assert killed and len(found) == 150
    assert [repr(found[number]) for number in range(150)] == here(asked, wanted)
    until(lambda: len(running.processes()) == 2, 30)
    assert killed[0] not in [process.pid for process in running.processes()]


def test_what_nobody_waits_for_is_cancelled(running: Cluster, asked: Study) -> None:
    """As Ctrl-C does it: the generator is closed where it stands."""
    with connected(running.url) as client, dask_where.cluster(asked, running.url) as place:
        results = place.map(iter(jobs(2000)))
        next(iter(results))
        results.close()  # type: ignore[attr-defined]
        until(lambda: not any(one.running for one in look(client, running.url).workers), 10)
        assert look(client, running.url).waiting == 0


def test_ctrl_c_of_a_sweep_leaves_the_cluster_idle(running: Cluster, asked: Study, tmp_path: Path) -> None:
    script = f"""
from quant.sweep import dask_where
from tests.quant.cluster.kit import jobs, study
from pathlib import Path
with dask_where.cluster(study(Path({asked.config.data.url!r})), {running.url!r}) as place:
    for number, _ in place.map(jobs(100_000, 1)):
        print(number, flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", script]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=20)
    assert said.decode().strip().endswith("KeyboardInterrupt")
    with connected(running.url) as client:
        until(lambda: not any(one.running for one in look(client, running.url).workers), 10)
        assert look(client, running.url).waiting == 0


def test_an_error_of_a_combination_comes_as_it_is(running: Cluster, asked: Study) -> None:
    bad = [Job(0, ({"fast": 50, "slow": 10},))]
    with dask_where.cluster(asked, running.url) as place, pytest.raises(UsageError, match="fast must be below slow"):
        list(place.map(bad))


def test_other_candles_are_refused(running: Cluster, asked: Study) -> None:
    other = dataclasses.replace(asked, candles=asked.candles.part(0, 10_000))
    with dask_where.cluster(other, running.url) as place, pytest.raises(BadData, match="reads other candles"):
        list(place.map(jobs(1)))


def test_candles_that_only_this_machine_has_are_told_so(running: Cluster, asked: Study, tmp_path: Path) -> None:
    data = asked.config.data.model_copy(update={"url": str(tmp_path / "nothing")})
    lost = dataclasses.replace(asked, config=asked.config.model_copy(update={"data": data}))
    with dask_where.cluster(lost, running.url) as place, pytest.raises(NoData, match="a worker") as caught:
        list(place.map(jobs(1)))
    assert "the same files on every host" in str(caught.value)


def test_workers_of_another_version_are_refused(asked: Study, tmp_path: Path) -> None:
    with cluster(tmp_path, 1, changed_copy(tmp_path / "sources")) as found:
        until(lambda: workers(found) == 1, 60)
        with (
            pytest.raises(ClusterFailed, match=f"run other code than this program, which is {code_version()}") as said,
            dask_where.cluster(asked, found.url),
        ):
            pass
        assert "quant.cluster --group" in str(said.value)
        shown = asks(found.url)
        assert shown.returncode == 1 and "OTHER CODE" in shown.stdout
        assert found.stop() == {"scheduler": 0, "worker": 0}, "SIGTERM ends them in good order"


def test_a_worker_of_another_version_that_comes_later_refuses(asked: Study) -> None:
    old = dataclasses.replace(Remote.of(asked), code="0" * 16)
    with pytest.raises(ClusterFailed, match="runs other code"):
        dask_where.work(old, tuple(jobs(1)))


def test_workers_come_late_and_the_scheduler_dies(asked: Study, tmp_path: Path) -> None:
    """A scheduler without workers; workers without a scheduler; both; and the scheduler's end in the middle."""
    with cluster(tmp_path, 0) as found:
        until(lambda: "hands out work" in found.log("scheduler"), 60)
        with pytest.raises(ClusterFailed, match="has no workers"):
            dask_where.cluster(asked, found.url).__enter__()
        shown = asks(found.url)
        assert shown.returncode == 1 and "none has registered" in shown.stdout
        found.kill("scheduler")
        found.work(1)
        until(lambda: "waits for the scheduler" in found.log("worker"), 60)
        found.schedule()
        until(lambda: workers(found) == 1, 60)
        with dask_where.cluster(asked, found.url) as place, pytest.raises(ClusterFailed, match="was lost"):
            for number, _ in place.map(jobs(5000, 1)):
                if number == 3:
                    found.kill("scheduler")
                    begun = time.monotonic()
        assert time.monotonic() - begun < 15
        assert found.running["worker"].wait(60) == 0, "systemd starts it anew"


def asks(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "quant.cluster", "--scheduler", url]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_nobody_there_is_one_error_within_seconds(asked: Study) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{unused.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(ClusterFailed, match="no scheduler answers at tcp://127") as caught:
            dask_where.cluster(asked, url).__enter__()
    assert time.monotonic() - begun < 6
    assert "settings.compute.controllers" in str(caught.value)


def test_something_else_that_answers_is_no_scheduler(asked: Study) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        child = subprocess.Popen([sys.executable, "-c", _GREETER, str(server.fileno())], pass_fds=[server.fileno()])
        try:
            with pytest.raises(ClusterFailed, match="is no scheduler"):
                dask_where.cluster(asked, url).__enter__()
        finally:
            child.kill()
            child.wait()


_GREETER = """
import socket, sys
server = socket.socket(fileno=int(sys.argv[1]))
server.accept()[0].sendall(b"SSH-2.0-OpenSSH_9.2\\r\\n")
"""


@pytest.mark.parametrize("url", ["10.0.0.1:8786", "http://10.0.0.1:8786", "tcp://10.0.0.1", "tcp://:8786", "tcp://a:b"])
def test_an_address_that_is_none(url: str, asked: Study) -> None:
    with pytest.raises(UsageError, match="is no address"):
        dask_where.cluster(asked, url).__enter__()


def trip(numbers: tuple[int, ...], each: float) -> Trip:
    return Trip(tuple((number, []) for number in numbers), each * len(numbers))


def test_jobs_go_together_until_a_trip_takes_half_a_second() -> None:
    trips = _Trips(jobs(100, 1))
    first = list(trips.next(4, 2))
    assert [len(some) for some in first] == [1, 1, 1, 1]
    trips.back(trip((0,), 6.0))  # it compiled
    trips.back(trip((1,), 0.05))
    assert [len(some) for some in trips.next(2, 2)] == [10, 10]
    assert [job.number for some in trips.next(1, 2) for job in some] == list(range(24, 34))


def test_few_jobs_are_shared_and_none_is_lost() -> None:
    """Optuna asks sixteen at a time: all workers get some."""
    trips = _Trips(jobs(16, 1))
    trips.back(trip((0,), 0.001))
    found = list(trips.next(8, 4))
    assert len(found) >= 4 and max(len(some) for some in found) == 4
    assert [job.number for some in found for job in some] == list(range(16))


def test_jobs_are_taken_as_they_are_needed() -> None:
    taken = list[int]()

    def lazily() -> Iterator[Job]:
        for job in jobs(1000, 1):
            taken.append(job.number)
            yield job

    list(_Trips(lazily()).next(4, 2))
    assert len(taken) < 10
