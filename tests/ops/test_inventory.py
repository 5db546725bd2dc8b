"""What a person reads when the inventory is right, and how hosts inherit."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops import paths
from ops.errors import InventoryError, UsageError
from ops.inventory import Inventory, load, resolve
from ops.role_config import RoleConfig, Secret, SecretRef

Read = Callable[[str], Inventory]


class Generating:
    """A store that makes everything and has nothing."""

    def get(self, name: str, host: str | None = None) -> str | None:
        return None

    def generate(self, name: str, host: str | None = None) -> str:
        return f"generated-{name}-for-{host}"


class Monitor(RoleConfig):
    port: int
    ops_key: Secret
    listen: str = "127.0.0.1"


def test_the_project_s_own_inventory_is_right(configs: dict[str, type[RoleConfig]]) -> None:
    configs = configs | {"monitor": Monitor}
    inventory = load(paths.INVENTORY, configs)
    host, lab = inventory.host("admin-trading"), inventory.host("lab")
    assert (host.address, host.port, host.user, host.arch) == ("admin-trading", 22, "root", "x86_64")
    assert host.roles == lab.roles == ("base", "webhook", "perf", "monitor")
    assert lab.lab
    assert not host.lab
    resolved = resolve(lab, configs, Generating())
    assert resolved["webhook"].model_dump()["listen"] == "0.0.0.0"  # noqa: S104
    assert resolved["perf"].model_dump()["token"].get_secret_value() == "generated-perf_token-for-lab"
    assert resolved["base"].model_dump() == {"timezone": "America/Montreal", "firewall": False}


CHAIN = """
    version: 1
    groups:
      both: {hosts: [a, b], vars: {color: group}, settings: {webhook: {port: 2000, listen: group}}}
    hosts:
      a:
        address: 10.0.0.1
        user: admin
        roles: [base, webhook]
        vars: {timezone: UTC}
        settings: {webhook: {port: 3000, webhook_key: {env: KEY}, ops_key: {secret: ops_key}}}
      b:
        like: a
        settings: {webhook: {listen: b, webhook_key: {secret: other}}}
      c: {like: b, roles: [base]}
    """


def test_settings_are_laid_over_each_other_key_by_key(read: Read) -> None:
    b = read(CHAIN).host("b")
    webhook = b.settings["webhook"]
    assert (webhook["port"], webhook["listen"]) == (2000, "b")
    assert webhook["webhook_key"] == SecretRef("other", None, False, "hosts.b.settings.webhook.webhook_key", 13)
    assert webhook["ops_key"].path == "hosts.a.settings.webhook.ops_key"
    assert b.vars == {"timezone": "UTC", "color": "group"}


def test_like_takes_everything_but_what_names_the_machine(read: Read) -> None:
    inventory = read(CHAIN)
    assert inventory.host("b").address == "b"
    assert inventory.host("b").user == "admin"
    assert inventory.host("c").roles == ("base",)
    assert inventory.host("c").settings == {"base": {"timezone": "UTC"}}
    assert inventory.host("c").groups == ()


def test_a_lab_host_takes_no_contact_details_from_the_host_it_is_like(read: Read) -> None:
    lab = read(CHAIN + "  lab: {like: a, lab: true}\n").host("lab")
    assert (lab.address, lab.port, lab.user, lab.key) == ("lab", 22, "root", None)


def test_select_names_hosts_one_way(read: Read) -> None:
    inventory = read(CHAIN + "  lab: {like: a, lab: true}\n")
    assert [host.name for host in inventory.select(group="both")] == ["a", "b"]
    assert [host.name for host in inventory.select(all=True)] == ["a", "b", "c"]
    assert [host.name for host in inventory.select(host="lab")] == ["lab"]
    with pytest.raises(UsageError, match="one of --host H, --group G, --all"):
        inventory.select(host="a", all=True)
    with pytest.raises(UsageError, match='no host "labb"; hosts are a, b, c, lab; did you mean "lab"'):
        inventory.select(host="labb")
    with pytest.raises(UsageError, match='no group "bothh"; groups are both; did you mean "both"'):
        inventory.select(group="bothh")


def test_a_missing_file_says_so(tmp_path: Path, configs: dict[str, type[RoleConfig]]) -> None:
    with pytest.raises(InventoryError, match=r"cannot read .*nowhere.yaml"):
        load(tmp_path / "nowhere.yaml", configs)


def test_loading_three_hosts_takes_under_25_ms(
    read: Read, tmp_path: Path, configs: dict[str, type[RoleConfig]]
) -> None:
    inventory = read(CHAIN)
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        inventory = load(tmp_path / "inventory.yaml", configs)
        for host in inventory.hosts.values():
            resolve(host, configs, Generating(), env={"KEY": "k"}) if host.name == "c" else None
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.025


def test_importing_the_inventory_brings_only_pydantic_and_yaml() -> None:
    code = "import sys, ops.inventory; print(*{m.split('.')[0] for m in sys.modules} - set(sys.stdlib_module_names))"
    found = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True)
    third = {name for name in found.stdout.split() if not name.startswith("_")}
    allowed = {
        "ops",
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "typing_extensions",
        "typing_inspection",
        "yaml",
        "cython_runtime",
    }
    assert third <= allowed
