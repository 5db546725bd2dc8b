"""What a host may decide about its BlockDAG node."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from ops.evm import checksummed
from ops.fields import Port
from ops.role_config import RoleConfig, Secret

PEER = r"^/(ip4|ip6|dns|dns4|dns6)/[A-Za-z0-9.:-]+/tcp/\d{1,5}/p2p/[A-Za-z0-9]+$"
Peer = Annotated[str, Field(pattern=PEER)]
# Docker's reference grammar, without a digest, which is a setting of its own.
IMAGE = r"^[a-z0-9][a-z0-9._-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
Argument = Annotated[str, Field(pattern=r"^--[a-z][a-z0-9.-]*(=[A-Za-z0-9_.,:/@*-]+)?$")]
SECRETIVE = ("--rpcpass", "--rpcuser", "--walletpass", "--configfile")


def _quoted(value: object) -> object:
    if isinstance(value, int):
        raise ValueError('YAML takes an address without quotes for a number: write it as "0x..."')
    return value


def _image(value: str) -> str:
    if not re.fullmatch(IMAGE, value):
        raise ValueError(
            "expected an image with its tag: blockdagnetwork/awakening:v0.0.2; a digest goes into `digest`"
        )
    return value


def _password(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[A-Za-z0-9_.~-]{12,128}", value.get_secret_value()):
        raise ValueError("expected 12 to 128 letters, digits and _ . ~ -; write {secret: NAME, generate: true}")
    return value


Address = Annotated[str, BeforeValidator(_quoted), AfterValidator(checksummed)]
"""With EIP-55's capitals, however it was written."""
Password = Annotated[Secret, AfterValidator(_password)]


class DiskConfig(RoleConfig):
    budget_gb: float = Field(100, gt=0, le=1_000_000, description="that the node's data may take, in 10^9 bytes")
    keep_free_gb: float = Field(2, ge=0, le=1_000_000, description="that must stay free on its file system")
    when_full: Literal["stop", "alert"] = Field(
        "stop", description="stop the node until there is room again, or only have people told"
    )


class Config(RoleConfig):
    address: Address = Field(description="EVM address that is paid, in quotes")
    kind: Literal["miner", "full", "relay"] = "miner"
    image: Annotated[str, AfterValidator(_image)] = Field(
        "blockdagnetwork/awakening:v0.0.2", description="with its tag; another one is an upgrade"
    )
    digest: str | None = Field(None, pattern=r"^sha256:[0-9a-f]{64}$", description="of the image: no other is run")
    chain: str = Field("awakening", pattern=r"^[a-z][a-z0-9-]{0,31}$", description="CHAIN, as its image has it")
    testnet: bool = Field(True, description="awakening is one")
    rpc_user: str = Field("blockdag", pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    rpc_password: Password = Field(description="{secret: blockdag_rpc, generate: true}")
    rpc_port: Port = Field(38131, description="of the RPC, on this host only")
    eth_port: Port | None = Field(18545, description="of the chain's own API, on this host only; null: not at all")
    p2p_port: Port = Field(18150, description="the only one that listens on all addresses")
    peers: tuple[Peer, ...] = Field((), description="to connect to first: /ip4/.../tcp/18150/p2p/...")
    arguments: tuple[Argument, ...] = Field((), description="more for the node: --maxpeers=50")
    data: str = Field("/var/lib/blockdag", pattern=r"^/[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)+$")
    disk: DiskConfig = Field(DiskConfig.model_validate({}), description="what its data may take")
    memory: str = Field("6g", pattern=r"^[1-9]\d*[mg]$", description="limit")
    cpus: float = Field(2, gt=0, le=1024, description="limit, in processors")
    restart: Literal["unless-stopped", "always", "on-failure", "no"] = "unless-stopped"
    stop_seconds: int = Field(60, ge=1, le=100, description="that the node has to end before it is killed")

    @model_validator(mode="after")
    def _can_be(self) -> Config:
        ports = [port for port in (self.rpc_port, self.eth_port, self.p2p_port) if port]
        if len(set(ports)) < len(ports):
            raise ValueError("rpc_port, eth_port and p2p_port are the same: each needs a port of its own")
        if told := [one for one in self.arguments if one.startswith(SECRETIVE)]:
            name = told[0].partition("=")[0]
            raise ValueError(f"arguments: {name} is the role's own; as an argument everybody on the host would see it")
        return self

    @property
    def container(self) -> str:
        """As upstream's scripts call it."""
        return f"blockdag-{self.kind}-testnet" if self.testnet else f"blockdag-{self.kind}"

    @property
    def pinned(self) -> str:
        """What is pulled and run."""
        return f"{self.image.rpartition(':')[0]}@{self.digest}" if self.digest else self.image

    def node_arguments(self) -> list[str]:
        """What the image's start script hands to the node (NODE_ARGS). User and password are in a file instead."""
        relay = self.kind == "relay"
        evm = "--http --http.port={} --http.addr={} --http.api=net,web3,eth"
        found = ["--testnet"] if self.testnet else []
        found += [f"--rpclisten={'127.0.0.1:28131' if relay else '0.0.0.0:38131'}", "--notls"]
        found += ["--configfile=/bdag/node.conf", "--datadir=/bdag/data", "--logdir=/bdag/logs"]
        found += [f'--evmenv="{evm.format(28545, "127.0.0.1") if relay else evm.format(18545, "0.0.0.0")}"']  # noqa: S104
        found += ["--miner", "--generate", "--miningaddr=${PUB_ETH_ADDR}"] if self.kind == "miner" else []
        found += GATEWAY if relay else []
        return [*found, *(f"--addpeer={peer}" for peer in self.peers), *self.arguments]


GATEWAY = [
    "--gateway", "--gateway.dag.http.port=38131", "--gateway.dag.http.addr=0.0.0.0", "--gateway.evm.http.port=18545",
    "--gateway.evm.http.addr=0.0.0.0",
]  # fmt: skip
"""A relay answers through its gateway; within the container, which publishes these ports to this host only."""
