"""A cluster of two hosts: deployed by one task, it gives what one machine gives, and a killed worker loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from ops.lab.net import GATEWAY
from quant.dataset import Dataset
from tests.lab.compute_kit import KEYS, Cluster, candles
from tests.lab.conftest import DeskFor

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
