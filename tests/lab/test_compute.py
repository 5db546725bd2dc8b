"""A cluster of two hosts: deployed by one task, it gives what one machine gives, and a killed worker loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from ops.lab.net import GATEWAY
from quant.cluster.client import connected
from quant.dataset import Dataset
from tests.lab.compute_kit import KEYS, Cluster, candles
from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, wait_until

pytestmark = pytest.mark.lab
BARS = 100_000


@pytest.fixture(scope="module")
def cluster(desk_for: DeskFor) -> Iterator[Cluster]:
    first, second = desk_for("compute-a"), desk_for("compute-b")
    server = ThreadedMotoServer(ip_address=GATEWAY, port=0, verbose=False)
    server.start()
    s3 = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        import boto3

        boto3.client("s3", endpoint_url=s3).create_bucket(Bucket="candles")
        Dataset("s3://candles/all", s3).add(candles(BARS))
        yield Cluster(first, second, s3)
    server.stop()


def test_one_task_deploys_it_and_says_where_it_is(cluster: Cluster) -> None:
    done = cluster.inv("quant.cluster", "--json")
    assert done.code == 0, done.said
    found = json.loads(done.out)
    assert found["scheduler"] == cluster.url and found["well"]
    hosts = {one["address"].split(":")[1].strip("/") for one in found["workers"]}
    assert hosts == {cluster.desk.host.address, cluster.other.host.address}
    shown = cluster.inv("quant.cluster", "--status")
    assert shown.code == 0 and f"quant.sweep --config FILE --scheduler {cluster.url}" in shown.out
    plan = cluster.inv("plan", "--group", "compute")
    assert plan.code == 0, plan.said


def test_both_hosts_give_what_this_machine_gives(cluster: Cluster) -> None:
    here = cluster.inv(*cluster.sweep("here", 30, None, "--processes", "1"))
    assert here.code == 0, here.said
    there = cluster.inv(*cluster.sweep("there", 30, None, "--scheduler", cluster.url))
    assert there.code == 0, there.said
    assert cluster.tables("there") == cluster.tables("here")
    assert cluster.tables("here")[0].count(b"\n") == 1 + 26 * 20


def test_a_worker_killed_mid_way_loses_nothing(cluster: Cluster) -> None:
    """kill -9 of the worker itself: its keeper starts another, and what it had under way is done again."""
    here = cluster.inv(*cluster.sweep("whole", 200, 3, "--processes", "2"))
    assert here.code == 0, here.said
    words = cluster.sweep("killed", 200, 3, "--scheduler", cluster.url)
    with cluster.desk.start(*words, env=cluster.desk.environment | cluster.environment) as child:
        finished = cluster.desk.root / "reports/.killed.part/finished.jsonl"
        begun = lambda: finished.exists() and finished.stat().st_size > 0  # noqa: E731
        wait_until(lambda: begun() or child.poll() is not None, 150, "no job was finished")
        assert child.poll() is None, child.communicate()
        before = worker(cluster.other)
        cluster.other.on(f"kill -9 {before}")
        said = child.communicate(timeout=200)
        assert child.returncode == 0, said
    assert cluster.tables("killed") == cluster.tables("whole")
    wait_until(lambda: worker(cluster.other) not in ("", before), 30, "its keeper started no other")
    assert cluster.other.on("systemctl show -P NRestarts compute-worker") == "0"


def worker(desk: Desk) -> str:
    return desk.on("pgrep -u trading -f spawn_main | head -1", check=False)


def test_it_is_confined_and_speaks_on_its_own_address(cluster: Cluster) -> None:
    desk = cluster.desk
    listening = desk.on("ss -Hltn | awk '{print $4}' | grep -v ':22$'").split()
    assert {place.rpartition(":")[0] for place in listening} == {desk.host.address, "127.0.0.1"}
    assert desk.on("systemctl is-active compute-scheduler compute-worker").split() == ["active", "active"]
    assert cluster.other.on("systemctl is-active compute-scheduler", check=False) == "inactive"
    with connected(cluster.url) as client:  # it runs whatever it is sent
        for place in ("/opt/trading/state", "/opt/trading/.env.d", "/root"):
            refused = client.run(os.listdir, place, on_error="return")
            assert {type(said) for said in refused.values()} == {PermissionError}
        written = client.run(os.mkdir, "/opt/trading/x", on_error="return")
        assert all("Read-only file system" in str(said) for said in written.values())
    assert desk.on("ls /var/cache/compute/numba/*/* | head -1") != "", "kernels are kept for the next start"
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in desk.on("journalctl -u 'compute-*' --no-pager -o cat")
