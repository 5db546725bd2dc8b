"""The probe as a program, against Docker's API on a real Unix socket and a node's RPC on a real port."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockdag import disk, docker
from ops.paths import ROOT
from runtime import clock, dag
from tests.fakes import docker as fake
from tests.fakes.blockdag import PASSWORD, USER, Node, peer
from tests.fakes.docker import DIGEST, Docker, frame
from tests.fakes.listen import free_port

NAME = "blockdag-node"
Json = dict[str, Any]


class Host:
    """What the probe sees, and how it is started."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.docker = Docker(place / "docker.sock").start()
        self.node = Node(peers=[peer(1004), peer(1020)]).start()
        (place / "data").mkdir()
        (place / "data" / "block").write_bytes(b"x" * 300_000)
        self.environment = {
            "BLOCKDAG_NODE": "dag",
            "BLOCKDAG_CONTAINER": NAME,
            "BLOCKDAG_DATA": str(place / "data"),
            "BLOCKDAG_BUDGET_GB": "0.001",
            "BLOCKDAG_RPC_URL": self.node.url,
            "BLOCKDAG_RPC_USER": USER,
            "BLOCKDAG_RPC_PASSWORD": PASSWORD,
            "BLOCKDAG_ETH_URL": self.node.url,
            "BLOCKDAG_DOCKER": str(place / "docker.sock"),
            "BLOCKDAG_PROBE": str(place / "probe.json"),
        }

    def run(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        given = {"PATH": "/nowhere", "PYTHONPATH": str(ROOT), **self.environment, **changed}
        command = [sys.executable, "-P", "-m", "blockdag.probe", *arguments]
        done = subprocess.run(command, env=given, capture_output=True, text=True, timeout=30)
        assert PASSWORD not in done.stdout + done.stderr
        assert "in-the-environment-of-the-container" not in done.stdout + done.stderr
        return done

    def found(self, **changed: str) -> Json:
        """What it left for the monitor."""
        done = self.run(**changed)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        text = (self.place / "probe.json").read_text()
        assert PASSWORD not in text
        return dict(json.loads(text))

    def close(self) -> None:
        for one in (self.docker, self.node):
            one.stop()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.close()


def test_a_node_that_is_well(host: Host) -> None:
    found = host.found()
    assert (found["node"], found["docker"], found["why"]) == ("dag", "up", "")
    assert abs((clock.now() - clock.from_iso(found["at"])).total_seconds()) < 30
    assert found["container"] == {
        "name": NAME, "image": "blockdagnetwork/awakening:1.0", "image_id": fake.IMAGE_ID, "digest": DIGEST,
        "state": "running", "health": None, "restarts": 0, "started_at": "2026-11-26T10:59:04.294868+00:00",
        "exit_code": 0, "oom": False, "error": "", "why": "",
    }  # fmt: skip
    assert found["rpc"] == {
        "state": "up", "why": "", "height": 1000, "peers": 2, "lag": 20, "syncing": False, "version": "1.2.0+blockdag",
    }  # fmt: skip
    assert found["initial_download"] is False
    space = found["disk"]
    assert 300_000 <= space["bytes"] < 400_000 and space["budget_bytes"] == 1_000_000
    assert space["free_bytes"] > 0 and space["growth_bytes_per_day"] is None


def test_the_file_is_for_everybody_and_is_never_half_there(host: Host) -> None:
    host.found()
    first = (host.place / "probe.json").stat()
    host.found()
    second = (host.place / "probe.json").stat()
    assert stat.S_IMODE(second.st_mode) == 0o644 and first.st_ino != second.st_ino
    assert {one.name for one in host.place.iterdir()} == {"data", "docker.sock", "probe.json", "growth.json"}


def test_it_shows_the_same_to_people_and_writes_nothing(host: Host) -> None:
    done = host.run("--show")
    assert done.returncode == 0 and json.loads(done.stdout)["rpc"]["height"] == 1000
    assert not (host.place / "probe.json").exists() and not (host.place / "growth.json").exists()


@pytest.mark.parametrize(
    ("state", "restarts", "told", "why"),
    [
        (fake.KILLED, 0, "exited", f"the container {NAME} has ended: exit code 137 (killed)"),
        (fake.OUT_OF_MEMORY, 0, "exited", f"the container {NAME} has ended: killed for want of memory"),
        (fake.RESTARTING, 14, "restarting", f"the container {NAME} restarts again and again: 14 times, exit code 3"),
        (fake.PAUSED, 0, "paused", f"the container {NAME} is paused"),
        (fake.CREATED, 0, "created", f"the container {NAME} was never started"),
        (fake.NOT_STARTED, 0, "created", f"the container {NAME} was never started: {fake.BROKEN}"),
        (fake.UNHEALTHY, 0, "running", f"the container {NAME} is unhealthy"),
        ({**fake.KILLED, "Status": "dead", "ExitCode": 1}, 0, "dead", f"the container {NAME} has ended: exit code 1"),
        ({**fake.KILLED, "Status": "removing"}, 0, "exited", f"the container {NAME} has ended: exit code 137 (killed)"),
    ],
)
def test_what_a_container_can_have(host: Host, state: Json, restarts: int, told: str, why: str) -> None:
    host.docker.state, host.docker.restarts = state, restarts
    found = host.found()
    assert (found["docker"], found["why"]) == ("up", why)
    assert (found["container"]["state"], found["container"]["restarts"], found["container"]["why"]) == (
        told,
        restarts,
        why,
    )
    assert found["container"]["oom"] is (state == fake.OUT_OF_MEMORY)


def test_a_container_that_is_not_there(host: Host) -> None:
    found = host.found(BLOCKDAG_CONTAINER="another")
    assert (found["docker"], found["why"]) == ("up", "there is no container another")
    assert found["container"]["state"] == "missing" and found["container"]["restarts"] is None
    assert found["rpc"]["state"] == "up", "its RPC is asked all the same"


def test_docker_that_is_away_is_told_from_none(host: Host) -> None:
    host.docker.stop()
    found = host.found()
    why = f"Docker at {host.place}/docker.sock: nobody listens there"
    assert (found["docker"], found["why"], found["container"]) == ("down", why, None)
    assert found["rpc"]["state"] == "up", "with live-restore the node goes on without Docker"
    (host.place / "docker.sock").unlink()
    assert (host.found()["docker"], host.found()["why"]) == ("none", "Docker is not installed")
    (host.place / "dockerd").touch()
    found = host.found(PATH=f"/nowhere:{host.place}")
    assert (found["docker"], found["why"]) == ("down", f"Docker does not run: there is no {host.place}/docker.sock")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"hang": 4}, "no answer within 2 s"),
        ({"raw": b"SSH-2.0-OpenSSH_9.2\r\n"}, "the answer is no HTTP"),
        ({"raw": b"HTTP/1.0 200 OK\r\n\r\n<html>"}, "its answer is not JSON"),
        ({"raw": b"HTTP/1.0 200 OK\r\n\r\n[]"}, "it answers 200 with what is no object"),
        ({"raw": b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n{"}, "the answer was cut off"),
        ({"raw": b"HTTP/1.0 500 Oops\r\n\r\n"}, "it answers 500"),
    ],
)
def test_a_docker_that_says_nothing_of_use_is_down(host: Host, changed: Json, why: str) -> None:
    for name, value in changed.items():
        setattr(host.docker, name, value)
    found = host.found()
    assert (found["docker"], found["container"]) == ("down", None)
    assert found["why"] == f"Docker at {host.place}/docker.sock: {why}"


def test_a_docker_that_cannot_tell_of_the_container_is_up(host: Host) -> None:
    host.docker.status = 500
    found = host.found()
    assert (found["docker"], found["container"]) == ("up", None)
    assert found["why"] == f"Docker does not tell of the container {NAME}: it answers 500"


@pytest.mark.parametrize(("oldest", "newest", "asked"), [("1.44", "1.52", "/v1.44/"), ("1.12", "1.40", "/v1.40/")])
def test_the_api_is_asked_in_a_version_that_this_docker_has(host: Host, oldest: str, newest: str, asked: str) -> None:
    host.docker.oldest, host.docker.newest = oldest, newest
    assert host.found()["container"]["state"] == "running"
    assert host.docker.asked[1].startswith(asked)


@pytest.mark.parametrize(
    ("image", "digests", "digest"),
    [
        (f"blockdagnetwork/awakening@{DIGEST}", (), DIGEST),
        ("imported:1.0", (), None),
    ],
)
def test_an_image_that_came_from_no_registry_has_no_digest(
    host: Host, image: str, digests: tuple[str, ...], digest: str | None
) -> None:
    host.docker.image, host.docker.digests = image, digests
    container = host.found()["container"]
    assert (container["image"], container["digest"]) == (image.partition("@")[0], digest)


def test_a_node_that_still_fetches_the_chain_says_so_in_its_log(host: Host) -> None:
    host.docker.log = b"".join([
        frame("2026-11-26|10:59:04 [INFO ] Node started\n"),
        frame("2026-11-26|10:59:05 [TRACE] Client in initial download, qitmeer is downloading blocks...\n", 2),
    ])  # fmt: skip
    assert host.found()["initial_download"] is True
    asked = host.docker.asked[-1]
    assert "stdout=1&stderr=1&tail=200&since=" in asked, "old lines say nothing of now"
    host.docker.log = b"Client in initial download \r\n"  # of a container with a terminal
    assert host.found()["initial_download"] is True
    host.docker.log = frame("a Client in initial d")[:-3] + frame("ownload\n")
    assert host.found()["initial_download"] is False, "a stream that was cut off"
    host.docker.state = fake.KILLED
    assert host.found()["initial_download"] is None


def test_the_chains_own_api_says_whether_it_syncs(host: Host) -> None:
    host.node.syncing = {"startingBlock": "0x0", "currentBlock": "0x10", "highestBlock": "0xff"}
    assert host.found()["rpc"]["syncing"] is True
    assert host.found(BLOCKDAG_ETH_URL="")["rpc"]["syncing"] is None
    assert host.found(BLOCKDAG_ETH_URL=f"http://127.0.0.1:{free_port()}")["rpc"]["syncing"] is None


@pytest.mark.parametrize(
    ("changed", "state", "why"),
    [
        ({"hang": 4}, "silent", "no answer within 2 s"),
        ({"lacks": "getPeerInfo"}, "refused", "it refuses getPeerInfo: the method getPeerInfo does not exist/is not "),
        ({"height": "high"}, "strange", "what answers is no BlockDAG node"),
        ({"height": float("inf")}, "strange", "what answers is no BlockDAG node"),
        ({"raw": b"SSH-2.0-OpenSSH_9.2\r\n"}, "strange", "the answer is no HTTP"),
        ({"raw": b"HTTP/1.0 200 OK\r\n\r\n<p>"}, "strange", "what answers is no BlockDAG node: HTTP 200, no JSON"),
        ({"raw": b"HTTP/1.0 200 OK\r\n\r\n" + b" " * 4_100_000}, "strange", "the answer is longer than 4 MB"),
        ({"raw": b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{"}, "silent", "the answer was cut off"),
    ],
)
def test_what_an_rpc_can_have(host: Host, changed: Json, state: str, why: str) -> None:
    for name, value in changed.items():
        setattr(host.node, name, value)
    found = host.found()
    assert found["rpc"]["state"] == state and found["rpc"]["why"].startswith(why)
    assert found["why"] == f"the node's RPC: {found['rpc']['why']}"
    assert found["container"]["state"] == "running", "it runs, and that is told too"


def test_a_wrong_password_is_refused_and_never_told(host: Host) -> None:
    found = host.found(BLOCKDAG_RPC_PASSWORD="another-password")
    assert (found["rpc"]["state"], found["rpc"]["why"]) == ("refused", "it refuses the user and the password")
    assert "another-password" not in json.dumps(found)


def test_a_port_that_nobody_serves(host: Host) -> None:
    port = free_port()
    found = host.found(BLOCKDAG_RPC_URL=f"http://127.0.0.1:{port}")
    assert (found["rpc"]["state"], found["rpc"]["why"]) == ("silent", f"nobody listens at 127.0.0.1:{port}")


def test_a_port_that_docker_holds_for_a_node_that_does_not_listen(host: Host) -> None:
    """Its proxy takes the connection and closes it at once."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        command = [sys.executable, "-P", "-m", "blockdag.probe", "--show"]
        given = {**host.environment, "PYTHONPATH": str(ROOT), "BLOCKDAG_RPC_URL": f"http://127.0.0.1:{_port(proxy)}"}
        with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True) as running:
            proxy.accept()[0].close()
            out = running.communicate(timeout=30)[0]
    rpc = json.loads(out)["rpc"]
    assert (rpc["state"], rpc["why"]) == ("silent", "the connection is closed without an answer")


def _port(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def test_an_older_node_that_counts_blocks_and_tells_no_version(host: Host) -> None:
    host.node.lacks = "getMainChainHeight getNodeInfo"
    rpc = host.found()["rpc"]
    assert (rpc["state"], rpc["height"], rpc["version"]) == ("up", 1000, None)
    assert "getBlockCount" in host.node.asked


def test_data_that_is_not_there(host: Host) -> None:
    found = host.found(BLOCKDAG_DATA=f"{host.place}/nothing")
    assert found["why"] == found["disk"]["why"] == f"there is no folder {host.place}/nothing"
    assert (found["disk"]["bytes"], found["disk"]["free_bytes"], found["disk"]["budget_bytes"]) == (
        None,
        None,
        1_000_000,
    )
    assert host.found(BLOCKDAG_DATA=f"{host.place}/data/block")["disk"]["why"].endswith("data/block is no folder")


def test_what_is_counted_is_what_the_disk_holds(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "block").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "deep" / "er" / "block", tmp_path / "same")
    (tmp_path / "elsewhere").symlink_to("/usr")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1_000_000_000)
    taken = disk.measure(tmp_path, 5)
    assert taken.whole and 100_000 <= taken.bytes < 150_000


def test_files_that_go_while_they_are_counted_take_no_others_along(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).touch()
    (tmp_path / "folder").mkdir()
    found = disk.below(tmp_path)
    first = next(found)
    left = [one for one in tmp_path.iterdir() if one.stat().st_ino != first.st_ino]
    for gone in (one for one in left[:3] if one.is_file()):
        gone.unlink()
    assert len(list(found)) == len(list(tmp_path.iterdir())) - 1


def test_a_tree_that_is_too_large_is_told_as_far_as_it_was_counted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(450):
        (host.place / "data" / str(number)).write_bytes(b"x" * 5000)
    monkeypatch.setattr(disk, "LOOKED_AT_ONCE", 1)
    data, growth = host.place / "data", host.place / "growth.json"
    found = disk.look(data, 1_000_000, growth, 0.0, keep=True)
    assert found["bytes"] is None and found["at_least_bytes"] > 0
    assert found["why"] == f"{data} cannot be counted within 0 s"
    assert not growth.exists(), "what was not counted to its end is no step of its growth"


def test_growth_of_a_day_is_told_after_an_hour(host: Host) -> None:
    growth, now = host.place / "growth.json", time.time()
    taken = host.found()["disk"]["bytes"]
    samples = [[now - 90_000, 0], [now - 43_200, taken - 100_000], [now - 1000, taken], [now + 9000, 0]]
    growth.write_text(json.dumps({"data": str(host.place / "data"), "samples": samples}))
    found = host.found()["disk"]["growth_bytes_per_day"]
    assert found == pytest.approx(200_000, rel=0.01), "what is older than a day, or of the future, does not count"
    kept = json.loads(growth.read_text())["samples"]
    assert len(kept) == 3 and stat.S_IMODE(growth.stat().st_mode) == 0o600
    assert host.found(BLOCKDAG_DATA=str(host.place))["disk"]["growth_bytes_per_day"] is None, "of another folder"
    growth.write_text("[")
    assert host.found()["disk"]["growth_bytes_per_day"] is None


def test_growth_is_kept_where_systemd_keeps_state(host: Host) -> None:
    (host.place / "state").mkdir()
    host.found(STATE_DIRECTORY=f"{host.place}/state:/other")
    assert (host.place / "state" / "growth.json").exists() and not (host.place / "growth.json").exists()
    found = host.found(STATE_DIRECTORY=f"{host.place}/gone")
    assert found["disk"]["bytes"] and "its growth cannot be remembered" in found["why"]


def test_settings_that_are_wrong_are_all_told_at_once_without_what_they_hold(host: Host) -> None:
    done = host.run(
        BLOCKDAG_CONTAINER="../etc", BLOCKDAG_BUDGET_GB="much", BLOCKDAG_DATA="data",
        BLOCKDAG_RPC_URL="http://user:hunter2hunter2@127.0.0.1:38131", BLOCKDAG_ETH_URL="ws://127.0.0.1:18546",
    )  # fmt: skip
    assert done.returncode == 2 and not (host.place / "probe.json").exists()
    said = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in said] == [
        *("BLOCKDAG_CONTAINER", "BLOCKDAG_DATA", "BLOCKDAG_BUDGET_GB", "BLOCKDAG_RPC_URL", "BLOCKDAG_ETH_URL")
    ]
    assert "hunter2" not in done.stderr and "Traceback" not in done.stderr
    done = host.run(BLOCKDAG_CONTAINER="")
    assert done.returncode == 2 and done.stderr.startswith("BLOCKDAG_CONTAINER is not set: expected a name")


def test_what_cannot_be_used_or_written(host: Host) -> None:
    done = host.run("--shwo")
    assert (done.returncode, done.stderr) == (2, "usage: python -m blockdag.probe [--show]\n")
    done = host.run(BLOCKDAG_PROBE="/nowhere/at/all/probe.json")
    assert (done.returncode, done.stderr) == (
        1,
        "/nowhere/at/all/probe.json cannot be written: No such file or directory\n",
    )


def test_it_loads_little(host: Host) -> None:
    """It starts every 15 s: neither a web framework nor what only services need."""
    script = "import sys, blockdag.probe; print(*sys.modules)"
    command = [sys.executable, "-P", "-c", script]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    heavy = {"asyncio", "http.client", "logging", "argparse", "dataclasses", "ssl", "runtime.settings", "tempfile"}
    assert heavy & set(done.stdout.split()) == set()


def test_frames_are_taken_off_a_log() -> None:
    assert docker.text(frame("one\n") + frame("two\n", 2)) == b"one\ntwo\n"
    assert docker.text(b"plain\n") == b"plain\n"
    assert docker.text(frame("one\n") + b"\x01\0\0") == b"one\n"
    assert docker.text(b"") == b""


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARTS = ("Status", "Health", "ExitCode", "OOMKilled", "Error", "StartedAt", "Image")
STATE = ANY | st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, ANY))


@given(told=st.fixed_dictionaries({"State": STATE, "Config": STATE, "RestartCount": ANY, "Image": ANY}), peers=ANY)
def test_no_answer_however_odd_breaks_the_probe(told: Json, peers: Any) -> None:
    container = docker.facts(NAME, told)
    assert container["state"] in {*docker.STATES} and isinstance(docker.trouble(container), str)
    assert json.loads(json.dumps(container)) == container
    assert dag.lag(5, dag.heights(peers)) is None or dag.heights(peers)


@given(st.binary(max_size=200))
def test_no_log_however_odd_breaks_it(stream: bytes) -> None:
    assert len(docker.text(stream)) <= len(stream)
