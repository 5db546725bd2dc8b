"""The role compute: who is who in a group, whom the kernel lets in, and what `./inv quant.cluster` refuses."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from ops import cluster, deploy, lab
from ops.errors import OpsError, UsageError
from ops.inventory import Host, Mate, load
from ops.render import render
from ops.resources import File, Unit
from ops.role import configs
from quant.cluster import scheduler, worker
from roles.compute.role import Compute, Config
from tests.unit_kit import assert_hardened, needs_systemd

MATES = (Mate("a", "10.0.0.11"), Mate("b", "10.0.0.12"), Mate("c", "fd00::13"))
HOSTS = {m.name: Host(m.name, m.address, roles=("base", "compute"), mates={"compute": MATES}) for m in MATES}


def config(**given: Any) -> Config:
    return Config.model_validate(given)


def units(c: Config, name: str) -> dict[str, Unit]:
    return {one.unit: one for one in Compute().resources(c, HOSTS[name]) if isinstance(one, Unit)}


def text(c: Config, name: str, unit: str) -> str:
    return render(f"systemd/{unit}.j2", {"c": units(c, name)[unit].config})


def values(unit: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit, re.MULTILINE)


@pytest.mark.parametrize(("chosen", "which"), [(None, "a"), ("b", "b")])
def test_one_host_schedules_and_all_work(chosen: str | None, which: str) -> None:
    c = config(scheduler=chosen)
    for name in HOSTS:
        found = units(c, name)
        assert found["compute-scheduler.service"].running is found["compute-scheduler.service"].enabled
        assert found["compute-scheduler.service"].running == (name == which)
        assert found["compute-worker.service"].running is True


def test_services_understand_what_they_are_told() -> None:
    c = config(workers=3, memory_percent=50, port=9000, worker_port=9100)
    (line,) = values(text(c, "b", "compute-worker.service"), "ExecStart")
    given = worker.parser().parse_args(line.split("quant.cluster.worker ")[1].split())
    assert (given.scheduler, given.address, given.port) == ("tcp://10.0.0.11:9000", "10.0.0.12", 9100)
    assert (given.workers, given.memory_percent) == (3, 50)
    (line,) = values(text(c, "a", "compute-scheduler.service"), "ExecStart")
    given = scheduler.parser().parse_args(line.split("quant.cluster.scheduler ")[1].split())
    assert (given.address, given.port) == ("10.0.0.11", 9000)
    by_core = worker.parser().parse_args(
        values(text(config(), "c", "compute-worker.service"), "ExecStart")[0].split("quant.cluster.worker ")[1].split()
    )
    assert by_core.workers is None and by_core.address == "fd00::13"
    six = text(config(scheduler="c"), "a", "compute-worker.service")
    assert "--scheduler tcp://[fd00::13]:8786 " in six


def test_nobody_else_gets_in_or_is_reached() -> None:
    c = config(controllers=["192.0.2.1", "192.0.2.77/24"], storage=["198.51.100.9"])
    for unit in ("compute-scheduler.service", "compute-worker.service"):
        found = text(c, "a", unit)
        assert values(found, "IPAddressDeny") == ["any"]
        allowed = ["10.0.0.11", "10.0.0.12", "fd00::13", "192.0.2.1/32", "192.0.2.0/24", "198.51.100.9/32"]
        assert values(found, "IPAddressAllow") == ["localhost", *allowed]
        hidden = " ".join(values(found, "InaccessiblePaths"))
        assert all(f"-/opt/trading/{name}" in hidden for name in (".env.d", "state", "logs", "journal.md"))


def test_addresses_of_a_network_of_their_own() -> None:
    c = config(addresses={"a": "172.16.0.1", "b": "172.16.0.2"}, scheduler="b")
    found = text(c, "a", "compute-worker.service")
    assert "--scheduler tcp://172.16.0.2:8786 --address 172.16.0.1 " in found
    assert values(found, "IPAddressAllow") == ["localhost", "172.16.0.1", "172.16.0.2", "fd00::13"]


@pytest.mark.parametrize(
    ("given", "mates", "said"),
    [
        ({"scheduler": "d"}, MATES, "settings.compute.scheduler is d; the group compute has a, b, c"),
        ({"group": "calc"}, MATES, r"not in the group calc; it is in compute\n.*add it to groups.calc"),
        (
            {},
            (MATES[0], Mate("b", "b.example.org")),
            r"the address of b is the name b.example.org.*\n.*addresses: \{b:",
        ),
        ({}, (MATES[0], Mate("l", "", lab=True)), r"lab host l of its group does not run.*\n.*lab.up --name l"),
    ],
)
def test_what_cannot_be_a_cluster_is_refused_before_anything_connects(given: Any, mates: Any, said: str) -> None:
    host = replace(HOSTS["a"], mates={"compute": mates})
    with pytest.raises(OpsError, match=said):
        list(Compute().resources(config(**given), host))


@pytest.mark.parametrize(
    "given",
    [{"controllers": ["here"]}, {"storage": ["s3.example.org"]}, {"addresses": {"a": "here"}}, {"workers": 0},
     {"s3_url": "s3.example.org"}, {"memory_percent": 100}, {"scheduller": "a"}],
)  # fmt: skip
def test_settings_that_cannot_be_meant(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**given)


def test_s3_reaches_the_workers_and_only_them() -> None:
    secret = SecretStr('a"b$c\\d`e')
    c = config(s3_url="http://10.0.0.9:9000", s3_region="ca-central-1", s3_key=SecretStr("KEY"), s3_secret=secret)
    (env,) = [one for one in Compute().resources(c, HOSTS["a"]) if isinstance(one, File)]
    assert env.secret and env.mode == 0o600
    found = render(str(env.template), dict(env.context or {}))
    assert 'AWS_ENDPOINT_URL_S3="http://10.0.0.9:9000"\n' in found and "AWS_DEFAULT_REGION=ca-central-1\n" in found
    assert 'AWS_ACCESS_KEY_ID="KEY"\n' in found and 'AWS_SECRET_ACCESS_KEY="a\\"b\\$c\\\\d\\`e"\n' in found
    assert "EnvironmentFile" not in text(c, "a", "compute-scheduler.service")
    assert values(text(c, "a", "compute-worker.service"), "EnvironmentFile") == [env.path]


@pytest.mark.parametrize("unit", ["compute-scheduler.service", "compute-worker.service"])
@needs_systemd
def test_units_are_right_and_tight(unit: str, tmp_path: Path) -> None:
    path = tmp_path / unit
    found = text(config(controllers=["192.0.2.1"]), "a", unit)
    path.write_text(found.replace("/opt/trading/venv/bin/python", "/usr/bin/python3"))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, check=False
    )
    assert not [line for line in checked.stderr.splitlines() if "compute-" in line], checked.stderr
    assert_hardened(path, 2)


INVENTORY = """
version: 1
groups:
  compute: {hosts: [one, two], settings: {compute: {group: %s}}}
  mixed: [one, plain]
hosts:
  one: {lab: true, roles: [base, compute]}
  two: {like: one}
  plain: {address: 10.0.0.9, roles: [base]}
"""


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "inventory.yaml"
    path.write_text(INVENTORY % "compute")
    monkeypatch.setattr(deploy, "INVENTORY", path)
    return path


def test_a_host_knows_its_mates(inventory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab host's address is what the lab says: nothing while it does not run."""
    host = load(inventory, configs()).host("one")
    assert host.mates["mixed"] == (Mate("one", "one", lab=True), Mate("plain", "10.0.0.9"))
    running = lab.LabHost("two", "10.77.0.12", 22, "root", Path("/k"), Path("/h"), Path("/t"))
    monkeypatch.setattr(lab, "info", {"two": running}.get)
    assert deploy.located(host).mates["compute"] == (Mate("one", "", lab=True), Mate("two", "10.77.0.12", lab=True))


def test_a_group_that_is_no_cluster_is_refused(inventory: Path) -> None:
    with pytest.raises(UsageError, match=r"plain of the group mixed has no role compute\n.*roles/compute/README.md"):
        cluster.cluster("mixed", status=True, json=False, journal=None)
    with pytest.raises(UsageError, match='no group "computer"'):
        cluster.cluster("computer", status=True, json=False, journal=None)
    inventory.write_text(INVENTORY % "calc")
    with pytest.raises(UsageError, match=r"settings.compute.group: calc\n.*--group calc"):
        cluster.cluster("compute", status=True, json=False, journal=None)
