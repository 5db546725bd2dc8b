"""Role blockdag: what the inventory may say, and what Docker, the node and the probe are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr, ValidationError

from blockdag.settings import load
from ops.errors import OpsError
from ops.inventory import Host
from ops.render import render
from ops.resources import Command, Compose, File, Resource, Unit
from roles.blockdag.role import Blockdag, Config, stamp
from tests.unit_kit import assert_hardened, needs_systemd

HOST = Host("h", "10.0.0.1", roles=("docker", "blockdag"))
ADDRESS = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
PASSWORD = "a-password-of-the-rpc"
PLAIN: dict[str, Any] = {"address": ADDRESS, "rpc_password": SecretStr(PASSWORD)}
PEER = "/ip4/13.245.135.249/tcp/18150/p2p/16Uiu2HAm3hjo65MZvBEJuVASMoSDsXfMzC8m2ZEAeK8CjjJkRvf9"


def config(**given: Any) -> Config:
    return Config.model_validate(PLAIN | given)


def resources(**given: Any) -> list[Resource]:
    return list(Blockdag().resources(config(**given), HOST))


def node(**given: Any) -> dict[str, Any]:
    """The service of the compose file."""
    text = render("blockdag/compose.yaml.j2", {"c": config(**given), "stamp": "s"})
    found: dict[str, Any] = yaml.safe_load(text)["services"]["node"]
    return found


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": ADDRESS[:-1] + "D"}, f"its checksum is wrong: with these digits it is {ADDRESS}"),
        ({"address": ADDRESS[2:]}, f"it must begin with 0x: {ADDRESS}"),
        ({"address": ADDRESS[:-2]}, "it is too short: 0x and 38 digits"),
        ({"address": int(ADDRESS, 16)}, "without quotes for a number"),
        ({"image": "blockdagnetwork/awakening"}, "expected an image with its tag"),
        ({"image": "Node:1; id"}, "expected an image with its tag"),
        ({"digest": "sha256:12"}, "digest"),
        ({"kind": "archive"}, "kind"),
        ({"rpc_password": SecretStr("short")}, "generate: true"),
        ({"rpc_password": SecretStr('quote"d-and-long')}, "generate: true"),
        ({"rpc_port": 18150}, "each needs a port of its own"),
        ({"peers": ["10.0.0.1:18150"]}, "peers"),
        ({"arguments": ["--rpcpass=hunter2"]}, "--rpcpass is the role's own"),
        ({"arguments": ["--maxpeers=$(id)"]}, "arguments"),
        ({"data": "/"}, "data"),
        ({"memory": "6"}, "memory"),
        ({"disk": {"when_full": "delete"}}, "disk.when_full"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        config(**given)
    assert "hunter2" not in str(refused.value)


def test_an_address_is_given_its_capitals() -> None:
    assert config(address=ADDRESS.lower()).address == ADDRESS


def test_only_p2p_is_published_to_others() -> None:
    assert node()["ports"] == ["18150:18150", "127.0.0.1:38131:38131", "127.0.0.1:18545:18545"]
    assert node(eth_port=None, p2p_port=19000)["ports"] == ["19000:18150", "127.0.0.1:38131:38131"]


def test_limits_restarts_and_image_are_the_inventory_s() -> None:
    found = node(digest=f"sha256:{'a' * 64}", memory="512m", cpus=1.5, restart="no", kind="full")
    assert found["image"] == f"blockdagnetwork/awakening@sha256:{'a' * 64}"
    assert (found["mem_limit"], found["cpus"], found["restart"]) == ("512m", 1.5, "no")
    assert found["container_name"] == "blockdag-full-testnet"


def test_the_address_comes_from_the_env_file_as_text() -> None:
    assert node()["environment"]["MINING_ADDRESS"] == "${PUB_ETH_ADDR:?set it in .env}"
    assert render("blockdag/env.j2", {"c": config()}).splitlines()[1:] == [
        f'PUB_ETH_ADDR="{ADDRESS}"', 'CHAIN="awakening"',
    ]  # fmt: skip


def test_each_kind_has_its_arguments() -> None:
    miner, full, relay = (
        node(kind=kind, peers=[PEER])["environment"]["NODE_ARGS"] for kind in ("miner", "full", "relay")
    )
    assert "--miner --generate --miningaddr=${PUB_ETH_ADDR}" in miner
    assert "--miner" not in full + relay
    assert "--gateway --gateway.dag.http.port=38131" in relay
    for arguments in (miner, full, relay):
        assert "--configfile=/bdag/node.conf" in arguments
        assert f"--addpeer={PEER}" in arguments


def test_the_password_is_in_two_files_of_root_s_and_in_no_label_environment_or_argument() -> None:
    texts = {}
    for one in resources():
        if isinstance(one, File) and one.template:
            texts[one.path] = (render(one.template, dict(one.context or {})), one.mode)
    holding = {path: mode for path, (text, mode) in texts.items() if PASSWORD in text}
    assert holding == {"/opt/blockdag/node.conf": 0o600, "/opt/trading/.env.d/blockdag.env": 0o600}
    assert PASSWORD not in stamp(config())


def test_whatever_changes_makes_the_container_anew() -> None:
    others: tuple[dict[str, Any], ...] = (
        {"memory": "1g"}, {"rpc_password": SecretStr("another-password")}, {"peers": [PEER]}, {"image": "x:2"},
    )  # fmt: skip
    assert len({stamp(config()), *(stamp(config(**one)) for one in others)}) == 5
    stack = next(one for one in resources() if isinstance(one, Compose))
    assert (stack.services, stack.stamp) == ({"node": "blockdagnetwork/awakening:v0.0.2"}, stamp(config()))


def test_an_image_that_cannot_be_had_stops_before_anything_is_changed() -> None:
    kinds = [type(one) for one in resources()]
    assert kinds.index(Command) < kinds.index(File) < kinds.index(Unit) < kinds.index(Compose)


def test_it_needs_docker_on_the_same_host() -> None:
    with pytest.raises(OpsError, match="no role docker"):
        list(Blockdag().resources(config(), Host("h", "10.0.0.1", roles=("blockdag",))))


@pytest.mark.parametrize("eth", [18545, None])
def test_the_probe_understands_what_it_is_told(eth: int | None) -> None:
    text = render("env/blockdag.env.j2", {"c": config(eth_port=eth, disk={"budget_gb": 0.5})})
    given = dict(line.split("=", 1) for line in text.splitlines() if not line.startswith("#"))
    found = load(given)
    assert (found.container, found.budget, found.rpc.said) == ("blockdag-miner-testnet", 500_000_000, "127.0.0.1:38131")
    assert (found.password.reveal(), found.eth is None) == (PASSWORD, eth is None)


@needs_systemd
def test_the_probe_s_unit_can_do_little(tmp_path: Path) -> None:
    (tmp_path / "blockdag-probe.service").write_text(render("systemd/blockdag-probe.service.j2", {"c": config()}))
    assert_hardened(tmp_path / "blockdag-probe.service", 2)
