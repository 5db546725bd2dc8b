"""Roles docker and blockdag on a real host: Debian's Docker and its compose v1, and a node imported from a tarball."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.apt_kit import Repository, served
from tests.lab.conftest import DeskFor
from tests.lab.kit import Desk, changed, results, wait_until
from tests.lab.node_kit import ADDRESS, CONTAINER, DOCKER, NODE, OTHER, VALUES, load

pytestmark = pytest.mark.lab
COMPOSE = "usr/libexec/docker/cli-plugins/docker-compose"
"""Where compose v2 is, in Docker's package and in that of Debian 13."""
FETCH = """set -e; cd $(mktemp -d -p /root); mkdir parts lists
for file in $(ls /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null); do
  sed s/bookworm/trixie/g $file >parts/$(basename $file)
done
apt="apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$PWD/parts -o Dir::State::lists=$PWD/lists"
$apt update >&2; $apt -o APT::Sandbox::User=root download docker-compose >&2; dpkg-deb -x docker-compose_2*.deb .; pwd
"""


@pytest.fixture(scope="module")
def desk(desk_for: DeskFor) -> Iterator[Desk]:
    found = desk_for("blockdag")
    found.text = DOCKER
    found.describe(**VALUES)
    found.deploy()
    for version in ("1", "2"):
        load(found, version)
    load(found, "3", broken=True)
    found.text = NODE
    found.describe()
    found.settles()
    return found


def status(desk: Desk) -> tuple[int, dict[str, Any]]:
    done = desk.inv("blockdag.status", "--host", desk.host.name, "--json")
    return done.code, done.json()


def is_well(desk: Desk) -> bool:
    return status(desk)[0] == 0


def started(desk: Desk) -> str:
    return desk.on(f"docker inspect -f '{{{{.Id}}}} {{{{.State.StartedAt}}}}' {CONTAINER}")


def test_the_node_runs_within_its_limits_and_is_shown(desk: Desk) -> None:
    code, found = status(desk)
    assert (code, found["advice"]) == (0, [])
    assert [unit["state"] for unit in found["units"]] == ["active"] * 3
    rpc = found["probe"]["rpc"]
    assert (rpc["state"], rpc["height"], rpc["peers"], rpc["version"]) == ("up", 1000, 2, "1")
    limits = desk.on(f"docker inspect -f '{{{{.HostConfig.Memory}}}} {{{{.HostConfig.NanoCpus}}}}' {CONTAINER}")
    assert limits == f"{64 << 20} {500_000_000}"
    people = desk.inv("blockdag.status", "--host", desk.host.name).out
    assert "miner, well" in people
    assert "height 1000, 0 behind, 2 peers, version 1" in people
    assert f"mines to {ADDRESS} on awakening" in desk.inv("blockdag.logs", "--host", desk.host.name).out


def test_the_monitor_status_and_doctor_know_it(desk: Desk) -> None:
    fetch = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8020/api/monitor').read().decode())"

    def readings() -> dict[str, Any]:
        known = json.loads(desk.on(f'python3 -c "{fetch}"'))
        return {one["metric"]: one["value"] for one in known["readings"] if one["target"] == "blockdag"}

    wanted = {"node.running": 1, "node.container": 1, "node.peers": 2, "node.lag": 0, "node.height": 1000}
    wait_until(lambda: wanted.items() <= readings().items(), 60, "the monitor does not know the node")
    assert "block 1000, 2 peers, 0 behind" in desk.inv("status", "--host", desk.host.name).out
    findings = desk.inv("doctor", "--host", desk.host.name, "--json").json()["findings"]
    node = [(one["level"], one["says"]) for one in findings if one["group"] in ("node", "docker")]
    assert ("ok", "node blockdag runs, block 1000, 2 peers") in node
    assert {level for level, _ in node} == {"ok"}, node


def test_only_p2p_listens_beyond_this_host(desk: Desk) -> None:
    open_to_all = desk.on("ss -Hltn | awk '{print $4}' | grep -v '^127\\.' | grep -v ':22$' | sort -u").split()
    assert open_to_all == ["0.0.0.0:18150", "[::]:18150"]


def test_the_password_is_nowhere_but_in_root_s_files(desk: Desk) -> None:
    password = desk.secret("blockdag_rpc")
    places = (
        f"docker inspect {CONTAINER} node:1; docker logs {CONTAINER} 2>&1",
        "cat /proc/[0-9]*/cmdline /proc/$(pidof node)/environ | tr '\\0' '\\n'",
        "journalctl --sync; journalctl --no-pager -a -o export; cat /var/log/trading-ops/*",
        "cat /run/blockdag/probe.json /opt/blockdag/compose.yaml",
    )
    for place in places:
        said = desk.on(f"cat >/dev/shm/p; ({place}) | grep -caFf /dev/shm/p; true", stdin=f"{password}\n")
        assert said == "0", place
    found = desk.on("grep -rlaFf /dev/shm/p /opt /etc /var/lib/trading-ops /run/blockdag; rm /dev/shm/p").split()
    assert sorted(found) == ["/opt/blockdag/node.conf", "/opt/trading/.env.d/blockdag.env"]
    assert desk.on("stat -c '%U %a' " + " ".join(found)).split("\n") == ["root 600"] * 2


def test_a_killed_node_comes_back_and_is_counted(desk: Desk) -> None:
    desk.on(f"kill -KILL $(docker inspect -f '{{{{.State.Pid}}}}' {CONTAINER})")
    wait_until(lambda: is_well(desk), 20)
    assert status(desk)[1]["probe"]["container"]["restarts"] == 1


def test_what_was_removed_by_hand_is_drift_and_comes_back(desk: Desk) -> None:
    desk.on(f"docker rm -f {CONTAINER}")
    plan = desk.inv("plan", "--host", desk.host.name, "--json")
    assert (plan.code, results(plan.json(), "drift")) == (2, {"compose:blockdag"})
    code, found = status(desk)
    assert code == 1
    assert "the container is missing" in found["advice"][0]
    assert changed(desk.deploy()) == {"compose:blockdag"}
    assert is_well(desk)


def test_down_and_up(desk: Desk) -> None:
    assert "stays so until" in desk.inv("blockdag.down", "--host", desk.host.name).out
    done = desk.inv("blockdag.status", "--host", desk.host.name)
    assert done.code == 1
    assert "blockdag.service is inactive: ./inv blockdag.up" in done.out
    assert desk.inv("blockdag.up", "--host", desk.host.name).code == 0
    wait_until(lambda: is_well(desk), 10)


def test_whom_it_mines_to_is_checked_on_the_host(desk: Desk) -> None:
    good = desk.inv("blockdag.wallet.check", "--host", desk.host.name)
    assert (good.code, f"running  {ADDRESS}" in good.out) == (0, True)
    assert f"used by  {desk.host.name}" in desk.inv("blockdag.wallet.check", "--address", ADDRESS.lower()).out
    desk.on(f"sed -i s/{ADDRESS}/{OTHER}/ /opt/blockdag/.env && systemctl reload blockdag")
    bad = desk.inv("blockdag.wallet.check", "--host", desk.host.name)
    assert (bad.code, f"mines to {OTHER}, and the inventory says {ADDRESS}" in bad.out) == (1, True)
    assert "file:/opt/blockdag/.env" in changed(desk.deploy())
    assert desk.inv("blockdag.wallet.check", "--host", desk.host.name).code == 0


def test_a_wrong_address_is_refused_before_anything_connects(desk: Desk) -> None:
    desk.describe(address=f'"{ADDRESS[:-1]}D"')
    done = desk.inv("deploy", "--host", desk.host.name)
    desk.describe(**VALUES)
    assert done.code == 1
    assert "settings.blockdag.address: " in done.err
    assert f"its checksum is wrong: with these digits it is {ADDRESS}" in done.err


def test_over_its_budget_it_is_stopped_and_with_room_it_goes_on(desk: Desk) -> None:
    desk.on("echo 60 >/var/lib/blockdag/data/grow")
    wait_until(lambda: desk.on("systemctl start blockdag-probe; cat /run/blockdag/full", check=False) != "", 30)
    code, found = status(desk)
    assert code == 1
    assert "stopped for its disk: its data takes 0.06 GB of a budget of 0.05 GB" in found["advice"][0]
    assert desk.on("systemctl is-active blockdag", check=False) == "inactive"
    assert "was stopped: its data takes" in desk.on("journalctl --sync; journalctl -u blockdag-probe -n 5 -o cat")
    desk.on("rm /var/lib/blockdag/data/blocks")
    desk.on("systemctl start blockdag-probe")
    wait_until(lambda: is_well(desk), 10)


def test_an_upgrade_is_one_value_and_a_broken_image_is_undone(desk: Desk) -> None:
    desk.on("echo 4242 >/var/lib/blockdag/data/height")
    desk.describe(image='"node:2"')
    assert "compose:blockdag" not in changed(desk.deploy())  # the unit did it
    assert [status(desk)[1]["probe"]["rpc"][key] for key in ("version", "height")] == ["2", 4242]
    desk.describe(image='"node:3"')
    done = desk.inv("deploy", "--host", desk.host.name)
    assert done.code == 1
    assert "container blockdag-miner-testnet should run" in done.said
    assert "panic: the database cannot be opened" in done.said
    assert status(desk)[1]["probe"]["container"]["image"] == "node:2"
    assert status(desk)[1]["advice"] == ["it runs node:2, and the inventory says node:3: ./inv deploy"]
    before = started(desk)
    desk.describe(image='"node:9"')
    done = desk.inv("deploy", "--host", desk.host.name)
    assert (done.code, "docker pull" in done.said, started(desk)) == (1, True, before)
    desk.describe(image='"node:2"')
    assert desk.inv("plan", "--host", desk.host.name).code == 0


def test_a_port_that_is_taken_is_named_and_undone(desk: Desk) -> None:
    desk.describe(p2p_port="22")
    done = desk.inv("deploy", "--host", desk.host.name)
    assert done.code == 1
    assert "0.0.0.0:22: bind: address already in use" in done.said
    desk.describe(p2p_port="18150")
    assert desk.inv("plan", "--host", desk.host.name).code == 0
    assert is_well(desk)


def test_the_daemon_restarts_under_a_running_node_and_a_wrong_option_is_undone(desk: Desk) -> None:
    before = started(desk)
    desk.describe(docker="{source: debian, log_max_size: 1m, log_max_files: 5}")
    assert {"file:/etc/docker/daemon.json", "unit:docker.service"} <= changed(desk.deploy())
    assert started(desk) == before
    desk.describe(docker="{source: debian, options: {no-such-option: true}}")
    done = desk.inv("deploy", "--host", desk.host.name)
    assert done.code == 1
    assert "no-such-option" in done.said
    assert json.loads(desk.on("cat /etc/docker/daemon.json"))["log-opts"]["max-file"] == "5"
    assert started(desk) == before
    desk.describe(docker=VALUES["docker"])


def vendor(folder: Path, tree: Path, compose: Path) -> Repository:
    """Packages with the names of Docker's, and Debian's programs in them: Docker's own cannot be had here."""
    made = Repository(folder)
    conflicts = {"docker-ce": "docker.io", "containerd.io": "containerd, runc"}
    programs = {
        "docker-ce": ("usr/sbin/dockerd", "usr/sbin/docker-proxy", "lib/systemd/system/docker.service",
                      "lib/systemd/system/docker.socket"),
        "docker-ce-cli": ("usr/bin/docker",),
        "containerd.io": ("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/sbin/runc",
                          "lib/systemd/system/containerd.service"),
    }  # fmt: skip
    for name, paths in programs.items():
        relations = {"conflicts": conflicts[name]} if name in conflicts else {}
        made.add(name, "27.5.1", {path: tree / path for path in paths}, depends="libc6", **relations)
    made.add("docker-compose-plugin", "2.29.7", {COMPOSE: compose})
    made.index()
    return made


def compose_v2(desk: Desk) -> Path:
    """Compose 2 itself, from the next Debian, which the host's own mirror has too. On the host's disk."""
    folder = desk.on(FETCH).splitlines()[-1]
    return desk.host.tree / folder.lstrip("/") / COMPOSE


def label(desk: Desk, name: str) -> str:
    return desk.on(f"docker inspect -f '{{{{index .Config.Labels \"{name}\"}}}}' {CONTAINER}")


def test_docker_s_own_packages_replace_debian_s_and_compose_v2_takes_over(desk: Desk, tmp_path: Path) -> None:
    """Images, containers and the node's data stay. Compose is v2 itself; the rest is Debian's, by Docker's names."""
    assert label(desk, "com.docker.compose.version").startswith("1.")
    made = vendor(tmp_path, desk.host.tree, compose_v2(desk))
    key = json.dumps(made.key)
    with served(made) as uri:
        docker = f"{{source: docker, repository: {{uri: '{uri}', suite: stable, component: main, key: {key}}}}}"
        desk.describe(docker=docker)
        plan = desk.inv("plan", "--host", desk.host.name, "--role", "docker")
        desk.settles()
    assert plan.code == 2
    assert "remove Debian's packages of Docker, and keep images, containers and volumes" in plan.out
    for package in ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"):
        assert f"package {package}" in plan.out
    assert desk.on("dpkg-query -W -f='${db:Status-Abbrev}' docker.io", check=False).strip() != "ii"
    assert "version 2." in desk.on("docker compose version").replace("version v", "version ")
    assert is_well(desk), "what v1 made is v2's"


def test_compose_v2_does_what_v1_did(desk: Desk) -> None:
    desk.on(f"docker rm -f {CONTAINER}")
    assert changed(desk.deploy()) == {"compose:blockdag"}
    assert label(desk, "com.docker.compose.version").startswith("2.")
    desk.describe(image='"node:1"')
    desk.settles()
    assert [status(desk)[1]["probe"]["rpc"][key] for key in ("version", "height")] == ["1", 4242]
    desk.describe(image='"node:3"')
    done = desk.inv("deploy", "--host", desk.host.name)
    assert (done.code, "panic: the database cannot be opened" in done.said) == (1, True)
    wait_until(lambda: status(desk)[1]["probe"]["container"]["image"] == "node:1", 20)
    desk.describe(image='"node:1"')
    assert desk.inv("plan", "--host", desk.host.name).code == 0
    desk.inv("blockdag.down", "--host", desk.host.name)
    assert desk.inv("blockdag.up", "--host", desk.host.name).code == 0
    wait_until(lambda: is_well(desk), 10)
    assert desk.inv("blockdag.wallet.check", "--host", desk.host.name).code == 0
