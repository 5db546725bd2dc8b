"""What a person reads about a node, and for each thing that is wrong what helps."""

from __future__ import annotations

from typing import Any

import pytest

from ops.blockdag_show import advice, shown

Json = dict[str, Any]
CONTAINER = {
    "name": "blockdag-miner-testnet", "image": "node:1", "state": "running", "restarts": 1, "exit_code": 0,
    "started_at": "2026-11-26T11:11:37.545765+00:00",
}  # fmt: skip
RPC = {"state": "up", "why": "", "height": 1000, "peers": 3, "lag": 2, "syncing": False, "version": "1.0"}
DISK = {"bytes": 25 * 10**9, "budget_bytes": 10**11, "free_bytes": 6 * 10**10, "growth_bytes_per_day": 5 * 10**8}
UNITS = [{"name": name, "state": "active", "enabled": "enabled"} for name in ("docker.service", "blockdag.service")]
WANTED = {"kind": "miner", "image": "node:1", "address": "0xA", "p2p_port": 18150}


def found(looked_at: Json | None = None, **other: Any) -> Json:
    looked = {"docker": "up", "why": "", "container": CONTAINER, "rpc": RPC, "disk": DISK, "initial_download": False}
    whole: Json = {"host": "h", "wanted": WANTED, "units": UNITS, "probe": looked | (looked_at or {})}
    whole |= {"probe_error": "", "stopped_for_disk": ""} | other
    return whole | {"advice": advice(whole)}


def test_a_node_that_is_well() -> None:
    assert shown(found()) == [
        "h: miner, well",
        "  address    0xA",
        "  units      docker.service active, blockdag.service active",
        "  container  blockdag-miner-testnet: running since 2026-11-26T11:11:37Z, 1 restart, node:1",
        "  chain      height 1000, 2 behind, 3 peers, version 1.0",
        "  disk       25.00 of 100 GB (25 %), +0.50 GB a day, 60.0 GB free",
    ]


@pytest.mark.parametrize(
    ("probe", "other", "said"),
    [
        ({}, {"stopped_for_disk": "its data takes 11 GB"}, "stopped for its disk: its data takes 11 GB; make room"),
        ({}, {"probe": None}, "it cannot be looked at: no probe"),
        ({}, {"probe_error": "Unit blockdag-probe.service not found."}, "not found.: ./inv deploy --host h"),
        ({"docker": "down", "why": "nobody listens"}, {}, "Docker is down: nobody listens"),
        ({}, {"units": [{"name": "blockdag.service", "state": "failed"}]}, "is failed: ./inv blockdag.up --host h"),
        ({"container": {"state": "missing"}}, {}, "the container is missing: ./inv blockdag.logs"),
        ({"container": CONTAINER | {"state": "exited", "exit_code": 7}}, {}, "is exited (exit status 7)"),
        ({"container": CONTAINER | {"image": "node:2"}}, {}, "it runs node:2, and the inventory says node:1"),
        ({"rpc": {"state": "silent", "why": "nobody listens"}}, {}, "RPC is silent: nobody listens"),
        ({"rpc": RPC | {"peers": 0}}, {}, "it has no peers: give it some"),
    ],
)
def test_each_fault_has_its_advice(probe: Json, other: Json, said: str) -> None:
    told = found(probe, **other)
    assert said in told["advice"][0]
    assert "needs attention" in shown(told)[0]


def test_what_is_not_known_is_said_to_be_so() -> None:
    nothing: Json = {"container": None, "rpc": None, "disk": None}
    lines = shown(found(nothing))
    assert lines[3] == "  container  -: unknown, no image"
    assert lines[4:6] == ["  chain      unknown: not asked", "  disk       unknown"]


def test_a_node_that_loads_the_chain_says_so() -> None:
    assert "in initial download" in shown(found({"initial_download": True}))[4]
